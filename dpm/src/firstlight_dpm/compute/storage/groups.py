"""Storage from the z14 on: a storage group for each instance, whose ports have the WWPNs.

Cinder maps the volumes to these WWPNs; the group itself knows only the boot volume, because the
firmware boots from a volume of a group, and finds other volumes by itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import zhmcclient
from oslo_log import log as logging

from firstlight_dpm import names
from firstlight_dpm.compute.boot import Path
from firstlight_dpm.compute.storage import wwpns
from firstlight_dpm.compute.storage.ports import port_at, uri
from firstlight_dpm.errors import AdapterMissing, Gone, attempting
from firstlight_dpm.hmc import Hmc
from firstlight_dpm.options import StoragePort

LOG = logging.getLogger(__name__)

BOOT = "boot"


@dataclass(frozen=True)
class StorageGroups:
    """A group named as its partition, on `ports`, in the order that they are tried for booting.

    `patience`: seconds that the machine has for their WWPNs.
    """

    hmc: Hmc
    host: str
    ports: Sequence[StoragePort]
    patience: float = wwpns.PATIENCE

    def prepare(self, partition: zhmcclient.Partition) -> None:
        """Make the group and attach it, if that is not so, and see that it has its WWPNs."""
        group = self._find(partition.name) or self._make(partition.name)
        with attempting(f"attaching storage group {group.name}"):
            if _has(partition, group):
                return  # with ports that are in use, which the machine lets nobody change
        with attempting(f"giving storage group {group.name} its ports"):
            self._keep_to_ports(group)
        with attempting(f"attaching storage group {group.name}"):
            partition.attach_storage_group(group)
        # Nova still tries another host if they do not come; once it asks for them, it does not.
        self._wwpns(group)

    def initiators(self, partition: zhmcclient.Partition) -> list[str]:
        """The WWPNs of the group's virtual storage resources."""
        return self._wwpns(self._get(partition.name))

    def boot_from(self, partition: zhmcclient.Partition, path: Path) -> None:
        """Tell the group where its boot volume is, and the partition to boot from it."""
        group = self._get(partition.name)
        with attempting(f"setting the boot volume of partition {partition.name}"):
            volume = _boot_volume(group, path.size)
            volume.indicate_fulfillment_fcp(path.target, path.lun, self._port_of(group, path))
            partition.update_properties(
                {"boot-device": "storage-volume", "boot-storage-volume": volume.uri}
            )

    def release(self, name: str, partition: zhmcclient.Partition | None) -> None:
        """Detach and delete the group."""
        group = self._find(name)
        if group is None:
            return
        if partition is not None:
            self._detach(partition, group)
        try:
            with attempting(f"deleting storage group {group.name}"):
                group.delete()
        except Gone:
            return

    def _detach(self, partition: zhmcclient.Partition, group: zhmcclient.StorageGroup) -> None:
        try:
            with attempting(f"detaching storage group {group.name}"):
                if _has(partition, group):
                    partition.update_properties({"boot-device": "none"})
                    partition.detach_storage_group(group)
        except (Gone, AdapterMissing):  # the latter is what 404.2 stands for: here, the group
            LOG.info("storage group %s or its partition was deleted by somebody else", group.name)

    def _wwpns(self, group: zhmcclient.StorageGroup) -> list[str]:
        def read() -> list[str]:
            return [name for name, _ in self._resources(group)]

        return wwpns.given(f"reading the WWPNs of storage group {group.name}", read, self.patience)

    def _port_of(self, group: zhmcclient.StorageGroup, path: Path) -> zhmcclient.Port:
        """The port to boot by: the one whose WWPN it is, or the boot adapter's."""
        resource = dict(self._resources(group)).get(path.initiator)
        known = resource.get_property("adapter-port-uri") if resource else None
        return port_at(self.hmc.cpc(), known or uri(self.ports[0]))

    def _get(self, name: str) -> zhmcclient.StorageGroup:
        group = self._find(name)
        if group is None:
            raise Gone(f"looking for storage group {name}", "there is none")
        return group

    def _find(self, name: str) -> zhmcclient.StorageGroup | None:
        cpc = self.hmc.cpc()
        with attempting(f"looking for storage group {name}"):
            found = self.hmc.client().consoles.console.storage_groups.list(
                filter_args={"cpc-uri": cpc.uri, "name": name}
            )
        return next((group for group in found if group.name == name), None)

    def _make(self, name: str) -> zhmcclient.StorageGroup:
        with attempting(f"making storage group {name}"):
            return self.hmc.client().consoles.console.storage_groups.create(
                {
                    "name": name,
                    "description": names.partition_description(self.host),
                    "cpc-uri": self.hmc.cpc().uri,
                    "type": "fcp",
                    "shared": False,
                    "connectivity": len(self.ports),
                    "max-partitions": 1,
                }
            )

    def _keep_to_ports(self, group: zhmcclient.StorageGroup) -> None:
        """The HMC may offer ports of its own choice; the operator's are the only ones."""
        wanted = {uri(port) for port in self.ports}
        group.pull_full_properties()
        offered = set(group.get_property("candidate-adapter-port-uris") or ())
        if missing := self._port_objects(wanted - offered):
            group.add_candidate_adapter_ports(missing)
        if others := self._port_objects(offered - wanted):
            group.remove_candidate_adapter_ports(others)

    def _port_objects(self, uris: set[str]) -> list[zhmcclient.Port]:
        cpc = self.hmc.cpc()
        return [port_at(cpc, one) for one in sorted(uris)]

    def _resources(
        self, group: zhmcclient.StorageGroup
    ) -> list[tuple[str, zhmcclient.VirtualStorageResource]]:
        """Each with its WWPN, empty if there is none yet, in the order of the ports.

        A resource has no port before the machine has discovered its volumes; those come last, in
        the order of their device numbers.
        """
        order = {uri(port): place for place, port in enumerate(self.ports)}

        def place(one: zhmcclient.VirtualStorageResource) -> tuple[int, str]:
            port = one.get_property("adapter-port-uri")
            return order.get(port, len(order)), str(one.get_property("device-number"))

        found = group.virtual_storage_resources.list(full_properties=True)
        return [(_wwpn(one), one) for one in sorted(found, key=place)]


def _has(partition: zhmcclient.Partition, group: zhmcclient.StorageGroup) -> bool:
    # The list is a property of the partition, which attaching a group leaves as it was read.
    partition.pull_full_properties()
    return group.uri in partition.get_property("storage-group-uris")


def _boot_volume(group: zhmcclient.StorageGroup, size: int) -> zhmcclient.StorageVolume:
    for volume in group.storage_volumes.list():
        if volume.name == BOOT:
            return volume
    return group.storage_volumes.create({"name": BOOT, "size": size, "usage": BOOT})


def _wwpn(resource: zhmcclient.VirtualStorageResource) -> str:
    info = resource.prop("world-wide-port-name-info") or {}
    return wwpns.known(info.get("world-wide-port-name"))
