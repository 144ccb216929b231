"""A z13's NICs on the guest's kernel command line: its guest tools read there what DPM cannot set.

``boot-os-specific-parameters`` is appended to the command line by the firmware; each NIC is one
item of the form ``DEVNO,PORT,MAC;``. A change takes effect at the next start.
"""

import re

#: Characters that the property may have.
LIMIT = 256
#: Characters of one NIC, with the blank before it; so twelve fit.
LENGTH = len(" 0001,0,0a0000000011;")

_ITEM = re.compile(r" ?\b([0-9a-f]{4}),[01],[0-9a-f]{12};", re.IGNORECASE)


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

    def kept(found: re.Match[str]) -> str:
        return "" if found[1].lower() == devno.lower() else found[0]

    return _ITEM.sub(kept, parameters)


def room(parameters: str) -> int:
    """How many more NICs fit."""
    return max(0, LIMIT - len(parameters)) // LENGTH
