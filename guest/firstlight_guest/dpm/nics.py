"""`dpm_nics`: the cards that are told of on the config drive, or as vendor data.

dpm_nics.schema.json is the contract. What is learnt is left behind for setmac, which udev starts
before anything can be asked, in the grammar that both its forms read.
"""

import re
from typing import Any, List

from ..errors import CouldNotAsk, Empty, GuestError, NotThere
from ..machine import RUN, Machine
from ..sources import META_DATA, Sources, parse_object
from .grammar import Card, parse

PROVIDER = "dpm_nics"
LEARNT = f"{RUN}/dpm_nics"
_DEVNO = re.compile(r"[0-9a-f]{4}")
_MAC = re.compile(r"[0-9a-f][26ae](:[0-9a-f]{2}){5}")
_MOST = 4096


def cards(data: Any) -> List[Card]:
    """The cards that a value of `dpm_nics` means.

    Raises:
        GuestError: it is not what dpm_nics.schema.json says.
    """
    # A provider answers an object, the drive holds the list itself.
    nics = data.get("nics", data.get(PROVIDER)) if isinstance(data, dict) else data
    if not isinstance(nics, list) or len(nics) > _MOST:
        raise GuestError(f"{PROVIDER} should be a list of at most {_MOST} cards")
    return [_card(nic) for nic in nics]


def _card(nic: Any) -> Card:
    if not isinstance(nic, dict):
        raise GuestError(f"{PROVIDER}: a card should be an object")
    devno, mac = (str(nic.get(key, "")).lower() for key in ("devno", "mac"))
    port, vlan = nic.get("port"), nic.get("vlan")
    if not _DEVNO.fullmatch(devno):
        raise GuestError(f"{PROVIDER}: devno {devno[:20]!r} is not 4 hexadecimal digits")
    if not _MAC.fullmatch(mac):
        raise GuestError(f"{PROVIDER}: mac {mac[:40]!r} of {devno} is no local unicast address")
    if type(port) is not int or port not in (0, 1):
        raise GuestError(f"{PROVIDER}: port of {devno} should be 0 or 1")
    if vlan is not None and (type(vlan) is not int or not 1 <= vlan <= 4094):
        raise GuestError(f"{PROVIDER}: vlan of {devno} should be 1 to 4094")
    return Card(devno, port, vlan or 0, mac)


def ask(sources: Sources) -> List[Card]:
    """What drive and network tell: the first that says something; [] if neither does.

    Raises:
        CouldNotAsk: nobody could be asked.
        GuestError: the answer makes no sense.
    """
    if sources.drive is not None:
        told = parse_object(sources.drive.get(META_DATA), META_DATA).get(PROVIDER)
        if told:
            return cards(told)
    try:
        return cards(sources.provider(PROVIDER).value)
    except (NotThere, Empty):
        return []
    except CouldNotAsk:
        if sources.drive is not None:
            return []  # the drive is an answer: it knows of no further card
        raise


def remember(machine: Machine, learnt: List[Card]) -> None:
    """Leave this for setmac, until the machine stops."""
    machine.store(LEARNT, "".join(f"{card}\n" for card in learnt).encode())


def known(machine: Machine) -> List[Card]:
    """What was learnt, before the kernel's command line."""
    return parse(machine.read_or(LEARNT) + "\n" + machine.read_or("/proc/cmdline"))
