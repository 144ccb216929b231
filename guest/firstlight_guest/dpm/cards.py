"""Bring a card up, and give its interface the MAC that Neutron knows."""

import re
from typing import Tuple

from ..deadline import Deadline
from ..errors import GuestError
from ..machine import Machine
from .grammar import Card, is_local_unicast

_DEVICES = "/sys/bus/ccwgroup/devices"
_PATIENCE = 30.0  # seconds for the kernel to make an interface
_LONGEST_NAME = 15  # IFNAMSIZ, <linux/if.h>, without its final NUL
_PATH = re.compile(r"qeth/0\.0\.([0-9a-fA-F]{4})/net/([^/\s]{1,15})$")
_BUS_ID = re.compile(r"(?:0\.0\.)?([0-9a-fA-F]{4})")


def prepare(machine: Machine) -> None:
    """Have the kernel know groups of channel devices.

    Raises:
        CommandFailed: the module cannot be loaded.
    """
    if not machine.exists("/sys/bus/ccwgroup"):
        machine.run(["modprobe", "ccwgroup"])


def is_up(machine: Machine, card: Card) -> bool:
    """Whether the card has been grouped: by us, by firmware's configuration, or by hand."""
    return machine.exists(f"{_DEVICES}/{card.bus_id}")


def bring_up(machine: Machine, card: Card) -> bool:
    """Have an interface made for the card; False if that has been done.

    Runs for one device never overlap. The lock is not that of :func:`set_mac`: chzdev waits for
    udev, and udev for setmac.

    Raises:
        CommandFailed: it cannot be done, or neither tool of s390-tools is there.
    """
    with machine.locked(f"up-{card.bus_id}"):
        if is_up(machine, card):
            return False
        if machine.program("chzdev"):  # active only: an image made from this guest has other cards
            options = ["layer2=1", f"portno={card.port}"]
            machine.run(["chzdev", "-e", "-a", "-y", "qeth", card.bus_id, *options])
        else:
            options = ["-o", f"portno={card.port}", "-o", "layer2=1"]
            machine.run(["znetconf", "-a", card.bus_id, *options])
        return True


def device(text: str) -> Tuple[str, str]:
    """Device number of a bus id; and interface, of a path such as /devices/qeth/0.0.0001/net/enc1.

    Raises:
        GuestError: it is neither.
    """
    path, bus_id = _PATH.search(text), _BUS_ID.fullmatch(text)
    if path:
        return path.group(1).lower(), path.group(2)
    if bus_id:
        return bus_id.group(1).lower(), ""
    raise GuestError(f"{text!r} is neither a qeth device path nor a device bus id such as 0.0.0001")


def interface(machine: Machine, card: Card, patience: float = _PATIENCE) -> str:
    """The name of its interface.

    Raises:
        GuestError: it has none in time.
    """
    directory = f"{_DEVICES}/{card.bus_id}/net"
    if not Deadline(patience).until(lambda: bool(machine.names(directory))):
        raise GuestError(f"{card.bus_id} has no interface: is it online?")
    return machine.names(directory)[0]


def set_mac(machine: Machine, card: Card, name: str) -> bool:
    """Give the interface its MAC, and its VLAN if it has one; False if all is right.

    From z14 on firmware gives the MAC, and there is nothing to do. Runs for one device never
    overlap.

    Raises:
        GuestError: the card cannot have that MAC, or the kernel refuses.
    """
    with machine.locked(f"mac-{card.bus_id}"):
        changed = False
        if machine.read_or(f"/sys/class/net/{name}/address").lower() != card.mac:
            if not is_local_unicast(card.mac):
                raise GuestError(f"{card.mac} of {card.bus_id} is no local unicast address")
            machine.run(["ip", "link", "set", name, "address", card.mac])
            changed = True
        return _add_vlan(machine, card, name) or changed


def _add_vlan(machine: Machine, card: Card, name: str) -> bool:
    tagged = f"{name}.{card.vlan}"
    if not card.vlan or machine.exists(f"/sys/class/net/{tagged}"):
        return False
    if len(tagged) > _LONGEST_NAME:
        raise GuestError(f"{tagged} is too long for an interface's name")
    vlan = ["type", "vlan", "id", str(card.vlan)]
    machine.run(["ip", "link", "add", "link", name, "name", tagged, *vlan])
    return True
