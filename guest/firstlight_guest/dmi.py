"""Which server this machine is, as its hypervisor says; nothing on a network can change that.

Nova's libvirt driver makes the server's UUID the machine's own (SMBIOS, type 1).
"""

import uuid
from typing import Any, List, Optional

from .errors import GuestError
from .machine import Machine

_DMI = "/sys/class/dmi/id"
_NOVA = "openstack"  # in what a machine made by Nova is called
_NONE = (0, (1 << 128) - 1)  # a firmware that has none


def refuse_another(machine: Machine, told: Any) -> None:
    """Compare the UUID that a metadata service told with the machine's own, if that has one.

    Raises:
        GuestError: they differ, or nothing was told.
    """
    own = _own(machine)
    if own is not None and not any(str(told).lower() == str(each) for each in own):
        raise GuestError(
            f"the metadata service speaks of the server {told!r:.60}, and this machine is {own[0]}:"
            " nothing is taken from it and nothing sent to it"
        )


def _own(machine: Machine) -> Optional[List[uuid.UUID]]:
    """The machine's UUID, in both orders of bytes that firmware uses; None: it has none of Nova's.

    Raises:
        GuestError: it cannot be read.
    """
    name = f"{_DMI}/product_uuid"
    if not machine.exists(name) or not _made_by_nova(machine):
        return None
    try:
        found = uuid.UUID(machine.read(name))
    except OSError as error:
        raise GuestError(f"{name} cannot be read (are you root?): {error.strerror}") from error
    except ValueError:
        return None
    return None if found.int in _NONE else [found, uuid.UUID(bytes=found.bytes_le)]


def _made_by_nova(machine: Machine) -> bool:
    """False for other machines, bare metal say, whose UUID is not the server's."""
    names = ("product_name", "chassis_asset_tag", "sys_vendor")
    said = " ".join(machine.read_or(f"{_DMI}/{name}") for name in names)
    return not said.strip() or _NOVA in said.lower()
