"""The server itself."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from firstlight.instance.devices import Device
from firstlight.instance.network import Interface

Uuid = Annotated[
    str,
    Meta(
        pattern="^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$",
        description="a lower-case UUID",
    ),
]

UserData = Annotated[
    str,
    Meta(description="base64, as the compute API takes it", max_length=65535),
]


class Keypair(
    Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True, forbid_unknown_fields=True
):
    """The key the server was booted with.

    Nova keeps the key's text twice: with the instance (`as_booted`, shown in the EC2 tree) and as a
    keypair record (`public_key`, shown in the OpenStack tree), which the user may have deleted.
    """

    name: str
    public_key: str | None = None  # None: the record is gone
    type: Literal["ssh", "x509"] = "ssh"
    as_booted: str | None = None  # None: the same text as the record's

    @property
    def ec2_text(self) -> str | None:
        """The text the EC2 tree shows."""
        return self.public_key if self.as_booted is None else self.as_booted


class BlockDevice(
    Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True, forbid_unknown_fields=True
):
    """One row of Nova's block device mapping."""

    device_name: str | None = None  # such as /dev/vdb
    source_type: Literal["image", "volume", "snapshot", "blank"] = "volume"
    destination_type: Literal["local", "volume"] = "volume"
    guest_format: str | None = None  # "swap" for the swap disk


class Ec2Ids(
    Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True, forbid_unknown_fields=True
):
    """The integers behind ``i-0000002a`` and its like: allotted once, stable for ever."""

    instance: int
    image: int | None = None  # None: booted from volume
    kernel: int | None = None
    ramdisk: int | None = None


class Instance(
    Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True, forbid_unknown_fields=True
):
    """One server: everything its documents are made of."""

    uuid: Uuid
    project_id: str
    name: Annotated[str, Meta(description="display name; need not be a host name")]
    hostname: Annotated[str, Meta(description="host name without the domain")]
    launch_index: Annotated[int, Meta(ge=0)] = 0
    availability_zone: str | None = None
    metadata: dict[str, str] = {}
    keypair: Keypair | None = None
    user_data: UserData | None = None
    flavor: str | None = None
    image_id: Annotated[str, Meta(description="image UUID; empty when booted from volume")] = ""
    kernel_id: str | None = None
    ramdisk_id: str | None = None
    reservation_id: str | None = None
    boot_roles: Annotated[
        str, Meta(description="comma-joined roles of the user who booted it; never changes")
    ] = ""
    security_groups: Annotated[
        tuple[str, ...], Meta(description="names, in the order of the ports that carry them")
    ] = ()
    interfaces: tuple[Interface, ...] = ()
    root_device_name: str | None = None
    default_ephemeral_device: str | None = None
    default_swap_device: str | None = None
    block_devices: tuple[BlockDevice, ...] = ()
    devices: tuple[Device, ...] = ()
    dedicated_cpus: tuple[int, ...] = ()
    network_config: Annotated[
        str | None, Meta(description="Debian interfaces text of an injected network (legacy)")
    ] = None
    ec2_ids: Ec2Ids | None = None  # None: not allotted yet
    password: str = ""  # what the guest posted; empty: none
