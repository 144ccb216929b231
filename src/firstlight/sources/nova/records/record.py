"""Rows of a cell's database to an instance."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import msgspec

from firstlight.instance import BlockDevice, Ec2Ids, Instance, Keypair
from firstlight.sources.contract import SourceUnavailable
from firstlight.sources.nova import password
from firstlight.sources.nova.records import injected, network, versioned

_Found = TypeVar("_Found")

# Neutron knows them, Nova's databases do not: whoever shows them looks them up.
SECURITY_GROUPS: tuple[str, ...] = ()


class InstanceRecord:
    """What the two reading statements of :mod:`firstlight.sources.nova.tables` found."""

    def __init__(self, row: Any, parts: Sequence[Any]) -> None:
        self.row = row
        # By id, that is in the order of insertion, as Nova shows them.
        parts = sorted(parts, key=lambda part: part.id)
        self._metadata = {p.first: p.second or "" for p in parts if p.part == "metadata"}
        self._system = {p.first: p.second or "" for p in parts if p.part == "system"}
        self._disks = [p for p in parts if p.part == "disk"]

    def instance(self, ids: Ec2Ids, render: injected.Render | None) -> Instance:
        """The instance.

        Args:
            ids: its numbers.
            render: makes the legacy ``network_config``; None: there never is one.

        Raises:
            SourceUnavailable: a column is not what Nova writes; it is named.
        """
        row = self.row
        vifs = self._decoded("instance_info_caches.network_info", network.decode, row.network_info)
        return Instance(
            uuid=row.uuid,
            project_id=row.project_id,
            name=row.display_name or "",
            hostname=row.hostname or "",
            launch_index=row.launch_index or 0,
            availability_zone=row.availability_zone,
            metadata=self._metadata,
            keypair=self._keypair(),
            user_data=row.user_data,
            flavor=self._flavor(),
            image_id=row.image_ref or "",
            kernel_id=row.kernel_id or None,
            ramdisk_id=row.ramdisk_id or None,
            reservation_id=row.reservation_id,
            boot_roles=self._system.get("boot_roles", ""),
            security_groups=SECURITY_GROUPS,
            interfaces=self._decoded("network_info", network.interfaces, vifs),
            root_device_name=row.root_device_name,
            default_ephemeral_device=row.default_ephemeral_device,
            default_swap_device=row.default_swap_device,
            block_devices=tuple(map(_block_device, self._disks)),
            devices=self._decoded("device_metadata", versioned.devices, row.device_metadata),
            dedicated_cpus=self._decoded(
                "numa_topology", versioned.dedicated_cpus, row.numa_topology
            ),
            network_config=self._network_config(vifs, render),
            ec2_ids=ids,
            password=password.joined(self._system.items()),
        )

    def _flavor(self) -> str | None:
        # Before Kilo the flavor was in the system metadata.
        name = self._decoded("flavor", versioned.flavor_name, self.row.flavor)
        return name or self._system.get("instance_type_name")

    def _keypair(self) -> Keypair | None:
        row = self.row
        if not row.key_name:
            return None
        record = self._decoded("keypairs", versioned.keypair_record, row.keypairs)
        if record is None:
            return Keypair(name=row.key_name, as_booted=row.key_data)
        return Keypair(
            name=record["name"],
            public_key=record["public_key"],
            type=record.get("type", "ssh"),
            as_booted=None if row.key_data == record["public_key"] else row.key_data,
        )

    def _network_config(
        self, vifs: Sequence[network.Vif], render: injected.Render | None
    ) -> str | None:
        if render is None:
            return None
        return self._decoded(
            "network_info", lambda found: injected.network_config(found, render), vifs
        )

    def _decoded(self, column: str, decode: Callable[[Any], _Found], value: Any) -> _Found:
        try:
            return decode(value)
        except (msgspec.DecodeError, LookupError, TypeError, ValueError, AttributeError) as error:
            raise SourceUnavailable(
                f"Nova's record of instance {self.row.uuid} is not in a form this version reads:"
                f" {column}: {error!r}"
            ) from error


def _block_device(row: Any) -> BlockDevice:
    return BlockDevice(
        device_name=row.first,
        source_type=row.second,
        destination_type=row.third,
        guest_format=row.fourth,
    )
