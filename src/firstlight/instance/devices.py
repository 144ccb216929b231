"""Tagged and otherwise recorded devices of a server (Nova's device metadata)."""

from typing import Literal

from msgspec import Struct

Bus = Literal["pci", "usb", "scsi", "ide", "xen"]


class _Device(
    Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True, forbid_unknown_fields=True
):
    bus: Bus | None = None
    address: str | None = None
    tags: tuple[str, ...] | None = None  # None: not recorded; (): recorded, none given


class Nic(_Device, frozen=True, gc=False, kw_only=True, omit_defaults=True, tag="nic"):
    """A network interface, recorded because it is tagged, trusted or on a VLAN."""

    mac: str
    vlan: int | None = None
    vf_trusted: bool = False


class Disk(_Device, frozen=True, gc=False, kw_only=True, omit_defaults=True, tag="disk"):
    """A disk; `serial` is the volume id where it is a Cinder volume."""

    serial: str | None = None
    path: str | None = None


class Share(_Device, frozen=True, gc=False, kw_only=True, omit_defaults=True, tag="share"):
    """A Manila share, attached by virtiofs under the mount tag `tag`."""

    share_id: str
    tag: str


Device = Nic | Disk | Share
