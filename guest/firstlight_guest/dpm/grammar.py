"""How network cards are written on the kernel's command line.

``DEVNO,PORT[,[VLAN,]MAC];`` where DEVNO has 4 hexadecimal digits, PORT is 0 or 1, VLAN is decimal
and MAC has 12 hexadecimal digits. An item begins at the start, after a blank or after ``;``, and
ends with ``;``. Firmware and people differ in upper and lower case; the kernel uses lower case.
files/bin/dpm_guest_image_tools_common reads the same.
"""

import re
from typing import Dict, List, NamedTuple

_ITEM = re.compile(
    r"(?<![^\s;])([0-9a-f]{4}),([01])(?:,(?:([0-9]{1,4}),)?([0-9a-f]{12}))?;",
    re.IGNORECASE | re.ASCII,
)
_LOCAL_UNICAST = "26ae"  # second digit: OSA cards take no other MAC


class Card(NamedTuple):
    """A network card: device number, port; MAC and VLAN may be missing (empty, 0)."""

    devno: str
    port: int
    vlan: int = 0
    mac: str = ""  # with colons

    @property
    def bus_id(self) -> str:
        """As Linux calls it."""
        return f"0.0.{self.devno}"

    def __str__(self) -> str:
        vlan = f",{self.vlan}" if self.vlan else ""
        mac = f",{self.mac.replace(':', '')}" if self.mac else ""
        return f"{self.devno},{self.port}{vlan}{mac};"


def parse(text: str) -> List[Card]:
    """The cards, in their order; what does not follow the grammar is somebody else's.

    The first item of a device counts.
    """
    found: Dict[str, Card] = {}
    for devno, port, vlan, mac in _ITEM.findall(text):
        if not vlan or 1 <= int(vlan) <= 4094:
            card = Card(devno.lower(), int(port), int(vlan or 0), coloned(mac.lower()))
            found.setdefault(card.devno, card)
    return list(found.values())


def coloned(mac: str) -> str:
    """12 digits with colons."""
    return ":".join(mac[i : i + 2] for i in range(0, len(mac), 2))


def is_local_unicast(mac: str) -> bool:
    """Whether a MAC is one that an OSA card takes."""
    return mac[1:2] in _LOCAL_UNICAST
