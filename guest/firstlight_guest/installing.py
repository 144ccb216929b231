"""Write what is shipped beside the command: units, rules, shell tools. Running twice is harmless.

A step says what it changed; nothing changed, nothing said.
"""

import os
import pkgutil
import stat
from typing import Dict, Iterator, List, NamedTuple, Tuple

from .errors import GuestError
from .machine import Machine
from .tree import Held

_UNITS = "/usr/lib/systemd/system"
_ENABLED = "/etc/systemd/system"


class Set(NamedTuple):
    """What belongs together: files (name in the package to place and mode), and units."""

    files: Dict[str, Tuple[str, int]]
    units: Tuple[str, ...]


def _shell(name: str) -> Tuple[str, Tuple[str, int]]:
    return f"bin/{name}", (f"/usr/bin/{name}", 0o755)


SETS = {
    "sriov": Set({}, ("firstlight-sriov.service",)),
    "sriov-firmware": Set({}, ("firstlight-sriov-firmware.service",)),
    "password": Set({}, ("firstlight-password.service",)),
    "dpm": Set(
        dict(
            [
                _shell("autoconfigure_networking.sh"),
                _shell("setmac.sh"),
                _shell("dpm_guest_image_tools_common"),
                ("udev/80-setmac.rules", ("/etc/udev/rules.d/80-setmac.rules", 0o644)),
            ]
        ),
        (
            "firstlight-dpm-network.service",
            "firstlight-dpm-network-rest.service",
            "firstlight-dpm-storage.service",
        ),
    ),
}


def shipped(name: str) -> bytes:
    """A file of the package's `files`.

    Raises:
        GuestError: the package is not whole.
    """
    try:
        data = pkgutil.get_data("firstlight_guest", f"files/{name}")
    except OSError:
        data = None
    if data is None:
        raise GuestError(f"{name} is missing in firstlight-guest itself: install it anew")
    return data


def install(machine: Machine, name: str) -> List[str]:
    """Install one set and enable its units; returns what was changed."""
    chosen = SETS[name]
    changed: List[str] = []
    for source, (place, mode) in chosen.files.items():
        changed += put(machine, place, shipped(source), mode)
    for unit in chosen.units:
        changed += _enable(machine, unit)
    return changed


def put(machine: Machine, place: str, data: bytes, mode: int = 0o644) -> List[str]:
    """Have this file there, with this content and mode."""
    with machine.hold(place, create=True) as held:
        if _has(held, data, mode):
            return []
        held.put(data, mode)
    return [place]


def _has(held: Held, data: bytes, mode: int) -> bool:
    try:
        opened = held.open(os.O_RDONLY)
    except OSError:  # there is none, or it is a link
        return False
    with open(opened, "rb") as file:
        status = os.fstat(opened)
        same = stat.S_ISREG(status.st_mode) and stat.S_IMODE(status.st_mode) == mode
        return same and status.st_size == len(data) and file.read() == data


def link(machine: Machine, place: str, target: str) -> List[str]:
    """Have this symbolic link there."""
    with machine.hold(place, create=True) as held:
        if held.link() == target:
            return []
        held.put_link(target)
    return [place]


def _enable(machine: Machine, unit: str) -> List[str]:
    """What `systemctl enable` does, which an image under construction cannot run."""
    data = shipped(f"systemd/{unit}")
    changed = put(machine, f"{_UNITS}/{unit}", data)
    for key, name in _install_section(data.decode()):
        place = f"{name}.wants/{unit}" if key == "WantedBy" else name
        changed += link(machine, f"{_ENABLED}/{place}", f"{_UNITS}/{unit}")
    return changed


def _install_section(text: str) -> Iterator[Tuple[str, str]]:
    for line in text.partition("[Install]")[2].splitlines():
        key, _, names = line.partition("=")
        for name in names.split():
            if key in ("WantedBy", "Alias"):
                yield key, name
