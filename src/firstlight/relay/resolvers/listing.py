"""Guests found in Neutron's lists of ports, however those are read.

All guests of a call share two lists, one by address and one by MAC, and a third for the networks
of routers. Filters are lists themselves, so what comes back is a little too much; which port is
whose is worked out here, by network and address.
"""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from threading import Lock
from typing import Any

import msgspec
from msgspec import Struct

from firstlight.relay.contract import Guest, Nobody, Resolution, Unavailable, Via
from firstlight.relay.resolvers.ports import Port, key_of, one_of, server_of, with_other_macs

Filters = Mapping[str, Any]  # as Neutron's plug-in takes them: lists, and fixed_ips of lists

# The ports by which a router is on its networks. An HA or distributed router has others as well;
# guests are behind these.
_ROUTERS = (
    "network:router_interface",
    "network:ha_router_replicated_interface",
    "network:router_interface_distributed",
)
_MOST_ROUTERS = 10_000  # whose networks are kept


class NotAsked(Exception):
    """The list cannot be had now; the message says whose fault that is."""


class _Fixed(Struct, frozen=True):
    ip_address: str = ""


class PortRow(Struct, frozen=True):
    """A port in one of Neutron's lists: what is read of it."""

    id: str
    network_id: str
    mac_address: str
    fixed_ips: tuple[_Fixed, ...] = ()
    device_id: str | None = ""
    device_owner: str | None = ""
    project_id: str | None = None
    tenant_id: str | None = None  # the same, under the name that every release knows

    def port(self) -> Port:
        """What counts of it."""
        return Port(
            id=self.id,
            network_id=self.network_id,
            mac=self.mac_address.lower(),
            addresses=tuple(fixed.ip_address for fixed in self.fixed_ips),
            device_id=self.device_id or "",
            device_owner=self.device_owner or "",
            project_id=self.project_id or self.tenant_id or "",
        )


def read_rows(rows: Any) -> list[Port]:
    """Ports from what Neutron sent.

    Raises:
        NotAsked: it is no list of ports.
    """
    try:
        return [row.port() for row in msgspec.convert(rows, list[PortRow])]
    except msgspec.ValidationError as error:
        raise NotAsked(f"Neutron answered with what is no list of ports: {error}") from error


class Listing:
    """A :class:`~firstlight.relay.contract.Resolver` on top of something that lists ports.

    Args:
        name: the resolver's.
        ports: reads the ports that the filters leave; raises NotAsked.
        most: guests in one list.
        router_seconds: for which the networks of a router are believed.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        name: str,
        ports: Callable[[Filters], Sequence[Port]],
        *,
        most: int,
        router_seconds: float,
        close: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = name
        self._ports = ports
        self._most = most
        self._networks = _Networks(self._ports_of_routers, router_seconds, clock)
        self._close = close
        self._trouble: str | None = None

    def resolve(self, guests: Sequence[Guest], *, fresh: bool = False) -> Sequence[Resolution]:
        """One resolution for each guest, in their order."""
        resolutions: list[Resolution] = []
        try:
            for start in range(0, len(guests), self._most):
                resolutions += self._found(guests[start : start + self._most], fresh)
        except NotAsked as error:  # the rest would not be found out either, and only wait
            self._trouble = str(error)
            away = [Unavailable(str(error))] * (len(guests) - len(resolutions))
            return [*resolutions, *away]
        self._trouble = None
        return resolutions

    def trouble(self) -> str | None:
        """Why the last list could not be read; None: it was."""
        return self._trouble

    def close(self) -> None:
        """Let go of connections."""
        self._close()

    def _found(self, guests: Sequence[Guest], fresh: bool) -> Sequence[Resolution]:
        routers = {guest.place.id for guest in guests if guest.place.via is Via.ROUTER}
        behind = self._networks.of(routers, fresh)
        found = self._match(guests, behind)
        # What is not behind a router as it was known may be behind it now.
        lost = [
            number
            for number, guest in enumerate(guests)
            if guest.place.id in behind.kept and isinstance(found[number], Nobody)
        ]
        if lost:
            again = [guests[number] for number in lost]
            behind = self._networks.of({guest.place.id for guest in again}, fresh=True)
            for number, resolution in zip(lost, self._match(again, behind), strict=True):
                found[number] = resolution
        return self._with_other_macs(guests, found, behind) if fresh else found

    def _with_other_macs(
        self, guests: Sequence[Guest], found: Sequence[Resolution], behind: "_Behind"
    ) -> Sequence[Resolution]:
        """What was found, with the MACs of the servers' other ports on the guests' networks.

        That is one list more; it is read only for guests that are asked about afresh, among them
        those whose neighbour entry has another MAC than their port.
        """
        servers = {server[0] for server in map(server_of, found) if server is not None}
        if not servers:
            return found
        ports = self._ports({"device_id": sorted(servers)})
        return [
            with_other_macs(
                resolution, (port for port in ports if port.network_id in behind.networks(guest))
            )
            for guest, resolution in zip(guests, found, strict=True)
        ]

    def _match(self, guests: Sequence[Guest], behind: "_Behind") -> list[Resolution]:
        ports = self._candidates(guests, behind)
        return [
            one_of(_distinct(ports.get((network, key_of(guest)), ()) for network in networks))
            for guest, networks in ((guest, behind.networks(guest)) for guest in guests)
        ]

    def _candidates(
        self, guests: Sequence[Guest], behind: "_Behind"
    ) -> Mapping[tuple[str, str | None], list[Port]]:
        at: dict[tuple[str, str | None], list[Port]] = {}
        for kind in ("fixed_ips", "mac_address"):
            asked = [guest for guest in guests if _kind(guest) == kind and behind.networks(guest)]
            if asked:
                for port in self._ports(_filters(kind, asked, behind)):
                    for key in port.addresses if kind == "fixed_ips" else (port.mac,):
                        at.setdefault((port.network_id, key), []).append(port)
        return at

    def _ports_of_routers(self, routers: Sequence[str]) -> Sequence[Port]:
        return self._ports({"device_id": list(routers), "device_owner": list(_ROUTERS)})


class _Behind(Struct, frozen=True):
    """The networks of routers; `kept` are the routers that were not asked about just now."""

    routers: Mapping[str, Sequence[str]]
    kept: frozenset[str]

    def networks(self, guest: Guest) -> Sequence[str]:
        """Those that the guest may be on."""
        place = guest.place
        return self.routers.get(place.id, ()) if place.via is Via.ROUTER else (place.id,)


class _Networks:
    """Which networks routers have, believed for `seconds`."""

    def __init__(
        self,
        ports: Callable[[Sequence[str]], Sequence[Port]],
        seconds: float,
        clock: Callable[[], float],
    ) -> None:
        self._ports = ports
        self._seconds = seconds
        self._clock = clock
        self._lock = Lock()
        self._kept: dict[str, tuple[float, Sequence[str]]] = {}  # until when, which

    def of(self, routers: Iterable[str], fresh: bool) -> _Behind:
        """The networks of each of `routers`; `fresh`: of all of them, asked now.

        Raises:
            NotAsked: a router's networks are not known.
        """
        wanted = set(routers)
        known = {} if fresh else self._known(wanted)
        missing = sorted(wanted - known.keys())
        asked = self._ask(missing) if missing else {}
        return _Behind(known | asked, frozenset(known))

    def _known(self, routers: set[str]) -> dict[str, Sequence[str]]:
        now = self._clock()
        with self._lock:
            kept = {router: self._kept[router] for router in routers if router in self._kept}
        return {router: networks for router, (until, networks) in kept.items() if now < until}

    def _ask(self, routers: Sequence[str]) -> dict[str, Sequence[str]]:
        until = self._clock() + self._seconds
        found: dict[str, dict[str, None]] = {router: {} for router in routers}
        for port in self._ports(routers):
            found.get(port.device_id, {})[port.network_id] = None
        networks: dict[str, Sequence[str]] = {one: tuple(those) for one, those in found.items()}
        with self._lock:
            if len(self._kept) + len(networks) > _MOST_ROUTERS:
                self._kept.clear()
            # A router without networks is not kept: it is about to get one, or no router.
            self._kept.update({one: (until, those) for one, those in networks.items() if those})
        return networks


def _kind(guest: Guest) -> str | None:
    """The filter a guest is found by."""
    key = key_of(guest)
    return None if key is None else "fixed_ips" if key == str(guest.address) else "mac_address"


def _filters(kind: str, guests: Sequence[Guest], behind: _Behind) -> Filters:
    keys = sorted({str(key_of(guest)) for guest in guests})
    networks = sorted({network for guest in guests for network in behind.networks(guest)})
    wanted: Any = {"ip_address": keys} if kind == "fixed_ips" else keys
    return {"network_id": networks, kind: wanted}


def _distinct(several: Iterable[Sequence[Port]]) -> Sequence[Port]:
    return tuple({port.id: port for ports in several for port in ports}.values())
