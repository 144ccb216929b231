"""A machine with Mellanox adapters, below a directory of its own."""

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from support.parts import absent, need
from support.servers.databases import eventually

_SYSFS = Path(__file__).with_name("sysfs.py")
PHYSICAL = ("04bd700300374486", "04bd700300374487", "04bd700300374499")
VIRTUAL = (
    ["fefeab03004f86b9", "fefe2b03002a5777"],
    ["fefe6a03009db202", "fefe7d030069c502"],
)
DATA = {  # pcss-vendor-metadata's five keys
    "enable_sriov": True,
    "physical_guids": list(PHYSICAL[:2]),
    "virtual_guids": [list(each) for each in VIRTUAL],
    "default_limited_pkeys": ["0xBAD0", "0xF00D"],
    "dynamic_pkey": "0x3e7e",
}


def coloned(guid: str) -> str:
    """As the kernel writes it."""
    return ":".join(guid[i : i + 2] for i in range(0, 16, 2))


def port(number: int, total: int | None = 8, **more: Any) -> dict[str, Any]:
    """An adapter's port for the scene: ib0, ib1, …"""
    address = f"00:00:10:87:fe:80:00:00:00:00:00:00:{coloned(PHYSICAL[number])}"
    pci = f"0000:3b:00.{number}"
    return {"interface": f"ib{number}", "address": address, "pci": pci, "total": total} | more


def function(name: str, guid: str, driver: str = "mlx5_core") -> dict[str, str]:
    """A virtual function that is there already."""
    plain = coloned(guid)
    return {"pci": name, "driver": driver, "policy": "Follow", "node": plain, "port": plain}


class Hardware(NamedTuple):
    """A root with a sysfs in it."""

    root: Path
    record: Path

    def writes(self) -> list[str]:
        """What was written since the last call: ``PATH VALUE RESULT``, paths from the device on."""
        lines = self.record.read_text().splitlines() if self.record.exists() else []
        self.record.unlink(missing_ok=True)
        return [line.removeprefix("/devices/").removeprefix("/bus/pci/drivers/") for line in lines]

    def read(self, name: str) -> str:
        """A value below /sys/class/net."""
        return (self.root / "sys/class/net" / name).read_text().strip()

    def guids(self, interface: str) -> list[tuple[str, str, str]]:
        """Policy, node and port GUID of each function, as the kernel has them."""
        count = int(self.read(f"{interface}/device/sriov_numvfs"))
        names = ("policy", "node", "port")
        base = f"{interface}/device/sriov"
        return [tuple(self.read(f"{base}/{n}/{name}") for name in names) for n in range(count)]  # type: ignore[misc]

    def drivers(self, interface: str) -> list[str]:
        """The driver of each function; empty: none."""
        device = self.root / "sys/class/net" / interface / "device"
        count = int(self.read(f"{interface}/device/sriov_numvfs"))
        links = [device / f"virtfn{n}" / "driver" for n in range(count)]
        return [link.readlink().name if link.is_symlink() else "" for link in links]


@contextmanager
def hardware(
    home: Path, ports: Sequence[dict[str, Any]], failures: Sequence[tuple[str, int]] = ()
) -> Iterator[Hardware]:
    """That machine until the end of the block.

    Args:
        failures: regular expression over ``PATH VALUE`` of a write, and the error it gets, once.
    """
    need("umount")
    if not Path("/dev/fuse").exists():
        absent("this machine has no /dev/fuse: file systems cannot be served")
    root, record, scene = home / "root", home / "record", home / "scene.json"
    (root / "sys").mkdir(parents=True)
    scene.write_text(json.dumps({"ports": list(ports), "failures": list(failures)}))
    command = [sys.executable, "-W", "ignore", _SYSFS, root / "sys", scene, record]
    with (home / "sysfs.log").open("w") as log:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        up = eventually(lambda: process.poll() is not None or (root / "sys/class").exists(), 60)
        if not up or process.poll() is not None:
            absent(
                f"a file system cannot be served here: {(home / 'sysfs.log').read_text()[-500:]}"
            )
        yield Hardware(root, record)
    finally:
        subprocess.run(["umount", "--lazy", root / "sys"], check=False, capture_output=True)
        process.terminate()
        process.wait(60)
