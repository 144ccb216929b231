"""SR-IOV in an adapter's firmware: as many functions as are asked for, from the next start on."""

import re
from typing import List, NamedTuple

from ..errors import CommandFailed
from ..machine import Machine
from .ports import ports

MOST = 127  # what NUM_OF_VFS takes on ConnectX-4 and later
_NUMBER = re.compile(r"^\s*NUM_OF_VFS\s+(\d+)", re.MULTILINE)
_ENABLED = re.compile(r"^\s*SRIOV_EN\s+(?:True\(1\)|1)", re.MULTILINE)


class Adapter(NamedTuple):
    """One adapter, and whether it was changed."""

    device: str
    changed: bool


def enable(machine: Machine, number: int, dry_run: bool = False) -> List[Adapter]:
    """Set each adapter that is not set so; it takes effect when the machine starts next.

    Raises:
        CommandFailed: Mellanox's tools are missing or fail.
    """
    tool = _tool(machine)
    return [_enable(machine, tool, device, number, dry_run) for device in _devices(machine, tool)]


def _tool(machine: Machine) -> str:
    for tool in ("mlxconfig", "mstconfig"):
        if machine.program(tool):
            return tool
    raise CommandFailed("neither mlxconfig (MFT) nor mstconfig (mstflint) is installed")


def _devices(machine: Machine, tool: str) -> List[str]:
    """MFT's devices if it makes any; both tools take a PCI address as well."""
    if tool == "mlxconfig" and machine.program("mst"):
        machine.run(["mst", "start"])
        named = [name for name in machine.names("/dev/mst") if re.search(r"pciconf\d+$", name)]
        if named:
            return [f"/dev/mst/{name}" for name in named]
    found, _skipped = ports(machine)
    return sorted({port.pci for port in found})


def _enable(machine: Machine, tool: str, device: str, number: int, dry_run: bool) -> Adapter:
    said = machine.run([tool, "-d", device, "query", "SRIOV_EN", "NUM_OF_VFS"])
    match = _NUMBER.search(said)
    if _ENABLED.search(said) and match and int(match.group(1)) == number:
        return Adapter(device, changed=False)
    if not dry_run:
        machine.run([tool, "-y", "-d", device, "set", "SRIOV_EN=1", f"NUM_OF_VFS={number}"])
    return Adapter(device, changed=True)
