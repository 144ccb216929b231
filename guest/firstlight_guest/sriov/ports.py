"""The physical ports of this machine, and what virtual functions they have."""

import os
import re
from typing import List, NamedTuple, Tuple

from ..errors import CommandFailed, GuestError
from ..machine import Machine

VENDOR = "0x15b3"  # Mellanox, in the PCI ID list
_NET = "/sys/class/net"
_INFINIBAND = 59  # characters of 20 octets with colons
FOLLOW = "Follow"  # the port's link state is that of the physical one
_IP_LINK_VF = re.compile(r"vf (\d+) .*?NODE_GUID ([0-9a-f:]{23}).*?PORT_GUID ([0-9a-f:]{23})")


class Port(NamedTuple):
    """A physical InfiniBand port: its interface, PCI address, GUID, and the driver's name."""

    interface: str
    pci: str
    guid: str
    driver: str

    @property
    def device(self) -> str:
        """Its directory in sysfs."""
        return f"{_NET}/{self.interface}/device"


class Function(NamedTuple):
    """A virtual function: PCI address, driver (empty: none), policy and GUIDs as they are."""

    pci: str
    driver: str
    policy: str
    node: str
    port: str


class State(NamedTuple):
    """What a port has: the most functions it can have, and those it has."""

    most: int
    functions: Tuple[Function, ...]


class Skipped(NamedTuple):
    """An interface that is none of our business, and why."""

    interface: str
    reason: str


def ports(machine: Machine) -> Tuple[List[Port], List[Skipped]]:
    """Mellanox's InfiniBand ports, and what else of Mellanox is there."""
    found: List[Port] = []
    skipped: List[Skipped] = []
    for interface in machine.names(_NET):
        device = f"{_NET}/{interface}/device"
        if machine.read_or(f"{device}/vendor").lower() != VENDOR:
            continue
        port = _port(machine, interface)
        if machine.exists(f"{device}/physfn"):
            skipped.append(Skipped(interface, "is a virtual function itself"))
        elif not port.guid:
            skipped.append(Skipped(interface, "is not InfiniBand: its address has not 20 octets"))
        elif (port.pci, port.guid) in [(each.pci, each.guid) for each in found]:
            skipped.append(Skipped(interface, "is a further interface of a port"))
        else:
            found.append(port)
    return found, skipped


def _port(machine: Machine, interface: str) -> Port:
    device = f"{_NET}/{interface}/device"
    address = machine.read_or(f"{_NET}/{interface}/address").lower()
    guid = address.replace(":", "")[-16:] if len(address) == _INFINIBAND else ""
    pci = os.path.basename(machine.real(device))
    return Port(interface, pci, guid, machine.link(f"{device}/driver") or "mlx5_core")


def state(machine: Machine, port: Port) -> State:
    """What the port has now.

    Raises:
        GuestError: sysfs does not say, or does not make sense.
    """
    most = _number(machine, f"{port.device}/sriov_totalvfs")
    have = _number(machine, f"{port.device}/sriov_numvfs")
    return State(most, tuple(_function(machine, port, number) for number in range(have)))


def _number(machine: Machine, name: str) -> int:
    try:
        return int(machine.read(name))
    except OSError as error:
        raise GuestError(
            f"cannot read {name} ({error.strerror}): is SR-IOV enabled in firmware and BIOS? "
            "`firstlight-guest sriov --enable-firmware` does the first"
        ) from error
    except ValueError as error:
        raise GuestError(f"{name} is no number") from error


def _function(machine: Machine, port: Port, number: int) -> Function:
    link = f"{port.device}/virtfn{number}"
    pci, driver = machine.link(link), machine.link(f"{link}/driver")
    if has_sysfs(machine, port):
        base = f"{port.device}/sriov/{number}"
        values = [machine.read_or(f"{base}/{name}") for name in ("policy", "node", "port")]
    else:
        values = _from_ip(machine, port, number)
    return Function(pci, driver, values[0], _plain(values[1]), _plain(values[2]))


def has_sysfs(machine: Machine, port: Port) -> bool:
    """Whether the driver is Mellanox's own, with GUIDs in sysfs; Linux' has them in netlink."""
    return machine.exists(f"{port.device}/sriov")


def _from_ip(machine: Machine, port: Port, number: int) -> List[str]:
    try:
        said = machine.run(["ip", "-details", "link", "show", "dev", port.interface])
    except CommandFailed:
        return ["", "", ""]
    for line in said.splitlines():
        match = _IP_LINK_VF.search(line)
        if match and int(match.group(1)) == number:
            policy = FOLLOW if "link-state auto" in line else "other"
            return [policy, match.group(2), match.group(3)]
    return ["", "", ""]


def _plain(guid: str) -> str:
    return guid.replace(":", "").lower()
