"""Three questions to Neutron, as Nova's metadata service asks them (metadata-api §3.3 to §3.5)."""

import logging
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import TypeVar

from firstlight.health import Dependency
from firstlight.neutron.batching import BatchedLookups
from firstlight.neutron.calls import NeutronCall, NeutronCalls
from firstlight.neutron.lists import Lists
from firstlight.neutron.membership import group_ids, names
from firstlight.neutron.pages import Filters
from firstlight.neutron.rows import Group, Membership, NeutronSubnet, Owner
from firstlight.sources.ports import Device, NeutronUnavailable

LOG = logging.getLogger(__name__)

T = TypeVar("T")

# Networks in one request: Nova's number; Neutron's own server breaks near 182 (8 KiB of URL).
_NETWORKS = 160
# Ids of instances or groups in one request. 47 bytes each with their name: below the 4 KiB that
# uWSGI takes for a whole request unless it is told otherwise.
_IDS = 50
# What no group is called: the shortest list that needs Neutron's database.
_NOBODYS = "00000000-0000-0000-0000-000000000000"


class Neutron:
    """:class:`~firstlight.sources.ports.Ports` and SecurityGroups, by the API. Any thread may ask.

    Args:
        lists: how it is read.
        deadline: seconds for one question, Keystone included.
        threads: questions about addresses that are open at a time.
        window: seconds for which a question about security groups waits for others to join it.
    """

    def __init__(
        self, lists: Lists, *, deadline: float, threads: int = 8, window: float = 0.005
    ) -> None:
        self._lists = lists
        self._told_of_hidden = False
        self._calls = NeutronCalls(threads, deadline)
        # Two at a time: the next gathers while one is with Neutron and one on its way.
        self._groups: BatchedLookups[tuple[str, ...]] = BatchedLookups(
            self._read_groups, window=window, most=_IDS, threads=2, seconds=deadline
        )

    def device_at_address(self, address: str) -> Sequence[Device]:
        """See :class:`firstlight.sources.ports.Ports`."""
        found = self._calls.run(lambda call: self._at(address, (), call))
        return [device for device in found if device.id]

    def device_at_provider(self, provider: str, address: str) -> Sequence[Device] | None:
        """See :class:`firstlight.sources.ports.Ports`.

        A network with several subnets is asked for as often as it has subnets; if they fall into
        different batches its ports count as often, as Nova counts them.
        """
        return self._calls.run(lambda call: self._provided(provider, address, call))

    def security_groups(self, instance_ids: Collection[str]) -> Mapping[str, tuple[str, ...]]:
        """See :class:`firstlight.sources.ports.SecurityGroups`.

        Those who ask within a few milliseconds, or while Neutron is busy, share two requests.
        """
        return self._groups.get(instance_ids)

    @property
    def dependency(self) -> Dependency:
        """For whoever watches it."""
        return Dependency("neutron", lambda: self._lists.trouble, self._probe)

    def _probe(self) -> None:
        with suppress(NeutronUnavailable):
            self._calls.run(lambda call: self._lists.read(Group, (("id", _NOBODYS),), call))

    def close(self) -> None:
        """Give back threads and connections; nothing may be asked afterwards."""
        self._calls.close()
        self._groups.close()
        self._lists.close()

    def _provided(self, provider: str, address: str, call: NeutronCall) -> Sequence[Device] | None:
        filters = (("advanced_service_providers", provider),)
        networks = [subnet.network_id for subnet in self._lists.read(NeutronSubnet, filters, call)]
        if not networks:
            return None
        return [
            device
            for some in _parts(networks, _NETWORKS)
            for device in self._at(address, [("network_id", network) for network in some], call)
        ]

    def _at(self, address: str, networks: Filters, call: NeutronCall) -> list[Device]:
        filters = (("fixed_ips", f"ip_address={address}"), *networks)
        ports = self._lists.read(Owner, filters, call)
        return [Device(port.device_id, port.tenant_id) for port in ports]

    def _read_groups(
        self, instance_ids: Sequence[str], call: NeutronCall
    ) -> Mapping[str, tuple[str, ...]]:
        devices = [("device_id", instance_id) for instance_id in instance_ids]
        ports = self._lists.read(Membership, devices, call)
        wanted = group_ids(ports)
        groups = [
            group
            for some in _parts(wanted, _IDS)
            for group in self._lists.read(Group, [("id", one) for one in some], call)
        ]
        if len(groups) < len(wanted):
            self._tell_of_hidden(set(wanted) - {group.id for group in groups})
        return names(instance_ids, ports, groups)

    def _tell_of_hidden(self, hidden: set[str]) -> None:
        """Once: a group may also have been deleted a moment ago, but then not every time."""
        if hidden and not self._told_of_hidden:
            self._told_of_hidden = True
            LOG.warning(
                "Neutron does not show security group %s, which is on an instance's port, to the "
                "user of [neutron]; guests do not see such groups. If it is not deleted, the user "
                "needs the role admin: with the role service alone Neutron shows ports only",
                min(hidden),
            )


def _parts(whole: Sequence[T], most: int) -> Iterator[Sequence[T]]:
    return (whole[start : start + most] for start in range(0, len(whole), most))
