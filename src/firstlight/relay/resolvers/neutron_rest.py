"""Ports by Neutron's API, for those who give the relay a user: no message bus is needed."""

from collections.abc import Iterator, Sequence
from typing import ClassVar

from oslo_config import cfg

from firstlight.neutron.calls import NeutronCalls
from firstlight.neutron.lists import Lists
from firstlight.neutron.pages import Filters as Query
from firstlight.neutron.rows import NeutronRow
from firstlight.neutron.session import GROUP, open_adapter
from firstlight.relay.resolvers.listing import Filters, Listing, NotAsked, PortRow
from firstlight.relay.resolvers.ports import Port
from firstlight.sources.ports import NeutronUnavailable

NAME = "neutron-rest"
# Guests in one list: some 120 bytes each, below the 4 KiB that uWSGI takes for a request unless it
# is told otherwise. Networks of routers come on top and are counted apart.
_MOST = 15
_MOST_NETWORKS = 30


class _Ports(PortRow, NeutronRow, frozen=True):
    """A list of ports; its fields are those that are asked for."""

    PATH: ClassVar[str] = "ports"
    NAME: ClassVar[str] = "ports"


def open_neutron_rest(
    conf: cfg.ConfigOpts, *, seconds: float, threads: int, router_seconds: float
) -> Listing:
    """The resolver, with the user of ``[neutron]``, who has to see every project's ports.

    Nothing is sent before the first question.

    Args:
        seconds: within which a list has to be read, Keystone included.
        threads: that may resolve at the same time.
        router_seconds: for which the networks of a router are believed.

    Raises:
        firstlight.neutron.NeutronMisconfigured: the options cannot be used.
    """
    section = conf[GROUP]
    lists = Lists(
        open_adapter(conf, pool_size=threads + 1),
        retries=section.http_retries,
        timeout=section.timeout,
    )
    reading = _Reading(lists, NeutronCalls(threads, seconds))
    return Listing(
        NAME, reading.ports, most=_MOST, router_seconds=router_seconds, close=reading.close
    )


class _Reading:
    def __init__(self, lists: Lists, calls: NeutronCalls) -> None:
        self._lists = lists
        self._calls = calls

    def ports(self, filters: Filters) -> Sequence[Port]:
        """The ports that `filters` leave. Blocks.

        Raises:
            NotAsked: for whatever reason the list is not known.
        """
        try:
            return self._calls.run(
                lambda call: [
                    row.port()
                    for query in _queries(filters)
                    for row in self._lists.read(_Ports, query, call)
                ]
            )
        except NeutronUnavailable as error:
            raise NotAsked(str(error)) from error

    def close(self) -> None:
        """Give back threads and connections."""
        self._calls.close()
        self._lists.close()


def _queries(filters: Filters) -> Iterator[Query]:
    """The filters as queries that are short enough: some networks in each."""
    others = [pair for name, value in filters.items() for pair in _pairs(name, value)]
    networks = [pair for pair in others if pair[0] == "network_id"]
    others = [pair for pair in others if pair[0] != "network_id"]
    for start in range(0, len(networks) or 1, _MOST_NETWORKS):
        yield [*others, *networks[start : start + _MOST_NETWORKS]]


def _pairs(name: str, value: dict[str, Sequence[str]] | Sequence[str]) -> list[tuple[str, str]]:
    if isinstance(value, dict):
        return [(name, f"{part}={one}") for part, several in value.items() for one in several]
    return [(name, one) for one in value]
