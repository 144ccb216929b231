"""A z13's NICs on the guest's kernel command line: its guest tools read there what DPM cannot set.

``boot-os-specific-parameters`` is appended to the command line by the firmware; each NIC is one
item of the form ``DEVNO,PORT,MAC;``. A change takes effect at the next start.
"""

import re
from collections.abc import Callable, Collection

#: Characters that the property may have.
LIMIT = 256
#: Characters of one NIC, with the blank before it; so twelve fit.
LENGTH = len(" 0001,0,0a0000000011;")

# The guest's tools see an item where a word begins or another item ends, and so does this.
_ITEM = re.compile(r"( ?)(?<![^\s;])([0-9a-f]{4}),[01],[0-9a-f]{12};", re.IGNORECASE)


def item(devno: str, port: int, mac: str) -> str:
    """One NIC: the device number as Linux writes it, the adapter's port, the MAC address without
    separators.

    A partition of a z13 sees both ports of an adapter that has two; Linux takes the one it is told.
    """
    return f"{devno.lower()},{port},{mac.replace(':', '').lower()};"


def with_nic(parameters: str, devno: str, port: int, mac: str) -> str:
    """The parameters with this NIC, in the place of what they said of its device number."""
    return f"{without_nic(parameters, devno)} {item(devno, port, mac)}"


def without_nic(parameters: str, devno: str) -> str:
    """The parameters without what they say of this device number; the rest stays as it is."""
    return _only(parameters, lambda number: number != devno.lower())


def without_others(parameters: str, devnos: Collection[str]) -> str:
    """The parameters without what they say of other device numbers than these, in lower case; what
    is no item stays as it is.
    """
    return _only(parameters, lambda number: number in devnos)


def devnos(parameters: str) -> set[str]:
    """The device numbers that the parameters say something of, in lower case."""
    return {found[2].lower() for found in _ITEM.finditer(parameters)}


def _only(parameters: str, wanted: Callable[[str], bool]) -> str:
    def kept(found: re.Match[str]) -> str:
        if wanted(found[2].lower()):
            return found[0]
        # The blank goes, too, unless it keeps two words apart that are not ours.
        following = found.string[found.end() : found.end() + 1]
        return found[1] if following.strip() else ""

    return _ITEM.sub(kept, parameters)


def room(parameters: str) -> int:
    """How many more NICs fit."""
    return max(0, LIMIT - len(parameters)) // LENGTH
