"""What the machine's network looks like, as `ip` says."""

import ipaddress
from typing import Dict, List, NamedTuple, Union

from .errors import CommandFailed
from .machine import Machine

Address = Union[ipaddress.IPv4Interface, ipaddress.IPv6Interface]


class Link(NamedTuple):
    """An interface: name, MAC, and the addresses it has."""

    name: str
    mac: str
    addresses: List[Address]


def links(machine: Machine) -> List[Link]:
    """Every interface but lo.

    Raises:
        CommandFailed: there is no `ip`.
    """
    addresses: Dict[str, List[Address]] = {}
    for line in machine.run(["ip", "-o", "address", "show"]).splitlines():
        words = line.split()
        if len(words) > 3 and words[2] in ("inet", "inet6"):
            name = words[1].partition("@")[0]
            addresses.setdefault(name, []).append(ipaddress.ip_interface(words[3]))
    names = [name for name in machine.names("/sys/class/net") if name != "lo"]
    macs = {name: machine.read_or(f"/sys/class/net/{name}/address").lower() for name in names}
    return [Link(name, macs[name], addresses.get(name, [])) for name in names]


def route(machine: Machine, address: str) -> str:
    """The route to an address in one line; empty if there is none."""
    try:
        return " ".join(machine.run(["ip", "route", "get", address]).split())
    except CommandFailed:
        return ""
