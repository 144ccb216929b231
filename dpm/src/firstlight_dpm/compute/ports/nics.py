"""NICs of a partition: one for each port, on what the port was bound to.

From the z14 on the machine gives a NIC the port's MAC address and keeps it to its VLAN. A z13 can
do neither; there the guest's tools set the address that they find on the kernel command line, or,
of NICs for which that has no room, in what they are told once the first ones work.
"""

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

import zhmcclient
from nova import exception
from oslo_concurrency import lockutils
from oslo_log import log as logging

from firstlight_dpm import names
from firstlight_dpm.cards import adapter_port
from firstlight_dpm.compute import command_line
from firstlight_dpm.compute.ports.vifs import Vif
from firstlight_dpm.errors import AdapterMissing, Gone, attempting
from firstlight_dpm.hmc import Features, Hmc

LOG = logging.getLogger(__name__)

PARAMETERS = "boot-os-specific-parameters"


@dataclass(frozen=True)
class Nics:
    """NICs on one machine. Each operation may be repeated, and raises HmcErrors.

    Threads may change one partition at a time: the command line can only be written as a whole, and
    Nova keeps apart only what is done to the same port.

    `learned`: guests are told of NICs otherwise, so that more may be made than they can be told of
    on the command line.
    """

    hmc: Hmc
    host: str
    features: Features
    learned: bool = False

    def check(self, partition: zhmcclient.Partition, vifs: Sequence[Vif]) -> None:
        """Raises InvalidInput if the partition cannot have these beside what it has."""
        if not self.features.vlan:
            for vif in vifs:
                _refuse_vlan(vif)
        with _alone(partition):
            self._check_room(partition, len(vifs))

    def plug(self, partition: zhmcclient.Partition, vif: Vif) -> None:
        """Make the port's NIC, if it is not there, and tell the guest what the machine cannot.

        Raises InvalidInput, and makes none, if the guest could not be told.
        """
        with _alone(partition):
            nics = _nics(partition, vif.port)
            nic = _of_port(nics, vif.port)
            if nic is None:
                # Another thread may have taken the room since it was checked.
                self._check_room(partition, 1, nics)
                nic = self._make(partition, vif)
                nics.append(nic)
            if not self.features.mac_address:
                self._tell(partition, vif, _devno(nic), nics)

    def unplug(self, partition: zhmcclient.Partition, port: str) -> None:
        """Delete the port's NIC, if it is there, and tell nothing of it any more."""
        with _alone(partition):
            nics = _nics(partition, port)
            nic = _of_port(nics, port)
            if nic is not None:
                _delete(nic, port)
            with attempting(f"telling partition {partition.name} that port {port} has gone"):
                _say(partition, _said(partition, [one for one in nics if one is not nic]))

    def _check_room(
        self, partition: zhmcclient.Partition, wanted: int, nics: Iterable[zhmcclient.Nic] = ()
    ) -> None:
        if not self.features.mac_address and not self.learned:
            _refuse_too_many(partition, wanted, nics)

    def _tell(
        self,
        partition: zhmcclient.Partition,
        vif: Vif,
        devno: str,
        nics: Iterable[zhmcclient.Nic],
    ) -> None:
        with attempting(f"telling partition {partition.name} of the NIC of port {vif.port}"):
            port = adapter_port(self.hmc, vif.backing)
            said = _said(partition, nics)
            if command_line.room(command_line.without_nic(said, devno)):
                said = command_line.with_nic(said, devno, port, vif.mac)
            _say(partition, said)

    def _make(self, partition: zhmcclient.Partition, vif: Vif) -> zhmcclient.Nic:
        with attempting(f"making the NIC of port {vif.port} for partition {partition.name}"):
            nic = partition.nics.create(self._properties(vif))
            nic.pull_full_properties()
        return nic

    def _properties(self, vif: Vif) -> dict[str, object]:
        name, uri = vif.backing.nic_property
        properties: dict[str, object] = {
            "name": names.nic_name(vif.port),
            "description": names.nic_description(self.host, vif.mac),
            name: uri,
        }
        if self.features.mac_address:
            properties["mac-address"] = vif.mac
        if vif.vlan is not None:
            properties |= {"vlan-id": vif.vlan, "vlan-type": "enforced"}
        return properties | self._kind(vif)

    def _kind(self, vif: Vif) -> dict[str, str]:
        """A z17's Network Express adapters serve two kinds of NIC, so it must be said which.

        Linux drives ``neth``, the one that is a PCI function.
        """
        if not self.features.adapter_ports:
            return {}
        adapter = self.hmc.cpc().adapters.resource_object(f"/api/adapters/{vif.backing.object_id}")
        try:
            with attempting(f"looking at the adapter of port {vif.port}"):
                family = adapter.get_property("adapter-family")
        except Gone as error:
            raise AdapterMissing(error.attempt, error.said) from error
        return {"type": "neth"} if family == "network-express" else {}


def _refuse_vlan(vif: Vif) -> None:
    if vif.vlan is not None:
        raise exception.InvalidInput(
            reason=f"port {vif.port} is on VLAN {vif.vlan}, but this machine's NICs know no VLANs; "
            "use a flat network"
        )


def _refuse_too_many(
    partition: zhmcclient.Partition, wanted: int, nics: Iterable[zhmcclient.Nic]
) -> None:
    with attempting(f"reading the command line of partition {partition.name}"):
        room = command_line.room(_said(partition, nics))
    if wanted > room:
        raise exception.InvalidInput(
            reason=f"{wanted} ports are too many: on this machine the guest learns a NIC's MAC "
            f"address from the {command_line.LIMIT} characters of {PARAMETERS}, which have room "
            f"for {room} more; where guests learn of the others, set [dpm] guests_learn_nics"
        )


def _alone(partition: zhmcclient.Partition) -> AbstractContextManager[object]:
    """No other thread is in here with the same partition; such a lock is forgotten after use."""
    return lockutils.lock(f"firstlight-dpm-nics-{partition.uri}")


def _nics(partition: zhmcclient.Partition, port: str) -> list[zhmcclient.Nic]:
    with attempting(f"looking for the NIC of port {port}"):
        # The list is a property of the partition, which making a NIC leaves as it was read.
        partition.pull_full_properties()
        return partition.nics.list(full_properties=True)


def _of_port(nics: Iterable[zhmcclient.Nic], port: str) -> zhmcclient.Nic | None:
    return next((nic for nic in nics if names.port_of(nic.name) == port), None)


def _devno(nic: zhmcclient.Nic) -> str:
    return str(nic.prop("device-number", "")).lower()


def _delete(nic: zhmcclient.Nic, port: str) -> None:
    try:
        with attempting(f"deleting the NIC of port {port}"):
            nic.delete()
    except Gone:
        LOG.info("the NIC of port %s was deleted by somebody else", port)


def _said(partition: zhmcclient.Partition, nics: Iterable[zhmcclient.Nic]) -> str:
    """What the command line says now, but of NICs that somebody has deleted.

    `nics` are those that are known. The others that it speaks of are looked for: each may have been
    made since, and its list comes in the same answer as the command line.
    """
    partition.pull_full_properties()
    said = str(partition.get_property(PARAMETERS) or "")
    known = {_devno(nic) for nic in nics}
    if command_line.devnos(said) <= known:
        return said
    there = {_devno(nic) for nic in partition.nics.list(full_properties=True)}
    return command_line.without_others(said, there)


def _say(partition: zhmcclient.Partition, parameters: str) -> None:
    if parameters != (partition.get_property(PARAMETERS) or ""):
        partition.update_properties({PARAMETERS: parameters})
