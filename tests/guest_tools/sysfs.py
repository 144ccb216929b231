"""A sysfs that behaves as Linux' does for SR-IOV, as a file system in a process of its own.

``python sysfs.py MOUNT-POINT SCENE.json RECORD``: the scene tells what hardware there is and which
writes fail; every write that the kernel would see is a line in RECORD, with what came of it. The
rules are those of drivers/pci/iov.c and drivers/base/bus.c, and of mlx5_core's directory `sriov`.
"""

import errno
import json
import os
import re
import stat
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mfusepy import FUSE, FuseOSError, Operations

DRIVER = "mlx5_core"
_GUID = re.compile(r"([0-9a-f]{2}:){7}[0-9a-f]{2}\n?")
_VENDOR = "0x15b3"


class Link(str):
    """Where a symbolic link leads."""


@dataclass
class Function:
    """A virtual function; `known` is the GUID its driver saw when it took it."""

    pci: str
    driver: str = ""
    policy: str = "Down"
    node: str = "00:00:00:00:00:00:00:00"
    port: str = "00:00:00:00:00:00:00:00"
    known: str = ""


@dataclass
class Port:
    """A physical port; total None: firmware has no SR-IOV."""

    interface: str
    address: str
    pci: str
    total: int | None
    vendor: str = _VENDOR
    bare: bool = False  # functions that the driver must be told to take
    mellanox: bool = True  # the driver is Mellanox's own, with its directory `sriov`
    functions: list[Function] = field(default_factory=list)

    @classmethod
    def of(cls, scene: dict[str, Any]) -> "Port":
        """From JSON."""
        functions = [Function(**each) for each in scene.pop("functions", [])]
        return cls(**scene, functions=functions)


class Kernel:
    """The state, seen as a tree and changed by writes."""

    def __init__(self, scene: dict[str, Any]) -> None:
        self.ports = [Port.of(each) for each in scene["ports"]]
        self.failures = [(re.compile(path), number) for path, number in scene.get("failures", [])]

    def tree(self) -> dict[str, Any]:
        """Everything there is: directories, texts, links."""
        devices: dict[str, Any] = {}
        net: dict[str, Any] = {}
        bound: dict[str, Any] = {"bind": "", "unbind": ""}
        for port in self.ports:
            devices[port.pci] = self._physical(port)
            net[port.interface] = Link(f"../../devices/{port.pci}/net/{port.interface}")
            for function in port.functions:
                devices[function.pci] = {"vendor": port.vendor, "physfn": Link(f"../{port.pci}")}
                if function.driver:
                    link = Link(f"../../bus/pci/drivers/{function.driver}")
                    devices[function.pci]["driver"] = link
        drivers = {DRIVER: bound, "vfio-pci": {}}
        return {"devices": devices, "class": {"net": net}, "bus": {"pci": {"drivers": drivers}}}

    def _physical(self, port: Port) -> dict[str, Any]:
        inside: dict[str, Any] = {
            "vendor": port.vendor,
            "driver": Link(f"../../bus/pci/drivers/{DRIVER}"),
            "net": {port.interface: {"address": port.address, "device": Link("../..")}},
        }
        if port.total is not None:
            inside["sriov_totalvfs"] = str(port.total)
            inside["sriov_numvfs"] = str(len(port.functions))
            if port.mellanox:
                inside["sriov"] = {
                    str(n): {"policy": f.policy, "node": f.node, "port": f.port}
                    for n, f in enumerate(port.functions)
                }
            for n, function in enumerate(port.functions):
                inside[f"virtfn{n}"] = Link(f"../{function.pci}")
        return inside

    def write(self, path: str, text: str) -> None:
        """What a write does.

        Raises:
            OSError: the kernel refuses, or the scene wants it to; a failure happens once.
        """
        for failure in self.failures:
            if failure[0].search(f"{path} {text}"):
                self.failures.remove(failure)
                raise OSError(failure[1], "as the scene wants")
        words = path.strip("/").split("/")
        if words[:1] == ["bus"]:
            return self._driver(words[-1], text.strip())
        port = next(port for port in self.ports if port.pci == words[1])
        if words[-1] == "sriov_numvfs":
            return self._number(port, text.strip())
        return self._set(port.functions[int(words[3])], words[-1], text)

    def _number(self, port: Port, text: str) -> None:
        wanted = int(text)
        if wanted > (port.total or 0) or wanted < 0:
            raise OSError(errno.ERANGE, "")
        if wanted == len(port.functions):
            return
        if wanted and port.functions:
            raise OSError(errno.EBUSY, "first 0")
        base = port.pci.rpartition(":")[0]
        number = self.ports.index(port)
        driver = "" if port.bare else DRIVER
        port.functions = [
            Function(f"{base}:{n // 8 + 1 + 4 * number:02x}.{n % 8}", driver) for n in range(wanted)
        ]

    def _set(self, function: Function, name: str, text: str) -> None:
        if name == "policy":
            if text.strip() not in ("Follow", "Up", "Down"):
                raise OSError(errno.EINVAL, "")
        elif not _GUID.fullmatch(text):
            raise OSError(errno.EINVAL, "")
        setattr(function, name, text.strip())

    def _driver(self, verb: str, pci: str) -> None:
        function = next((f for p in self.ports for f in p.functions if f.pci == pci), None)
        if function is None or (function.driver == DRIVER) != (verb == "unbind"):
            raise OSError(errno.ENODEV, "")
        function.driver = DRIVER if verb == "bind" else ""
        function.known = function.node if verb == "bind" else ""


class Sysfs(Operations):
    """The tree as files."""

    use_ns = True

    def __init__(self, kernel: Kernel, record: Path) -> None:
        self._kernel = kernel
        self._record = record

    def _find(self, path: str) -> Any:
        found: Any = {"sys": self._kernel.tree()}["sys"]
        for word in filter(None, path.split("/")):
            if not isinstance(found, dict) or word not in found:
                raise FuseOSError(errno.ENOENT)
            found = found[word]
        return found

    def getattr(self, path: str, fh: int | None = None) -> dict[str, Any]:
        """Kind, mode and size."""
        found = self._find(path)
        if isinstance(found, dict):
            return {"st_mode": stat.S_IFDIR | 0o755, "st_nlink": 2}
        if isinstance(found, Link):
            return {"st_mode": stat.S_IFLNK | 0o777, "st_nlink": 1, "st_size": len(found)}
        return {"st_mode": stat.S_IFREG | 0o644, "st_nlink": 1, "st_size": 4096}

    def readdir(self, path: str, fh: int) -> list[str]:
        """Names."""
        return [".", "..", *self._find(path)]

    def readlink(self, path: str) -> str:
        """Where it leads."""
        return str(self._find(path))

    def read(self, path: str, size: int, offset: int, fh: int) -> bytes:
        """A value, with the newline that the kernel's files have."""
        return f"{self._find(path)}\n".encode()[offset : offset + size]

    def truncate(self, path: str, length: int, fh: int | None = None) -> None:
        """As sysfs: nothing."""

    def write(self, path: str, data: bytes, offset: int, fh: int) -> int:
        """Do what the kernel does, and record it."""
        text, came = data.decode().strip(), "ok"
        try:
            self._kernel.write(path, data.decode())
        except (OSError, ValueError) as error:
            number = getattr(error, "errno", None) or errno.EINVAL
            came = errno.errorcode[number]
            raise FuseOSError(number) from error
        finally:
            with self._record.open("a") as record:
                record.write(f"{path} {text} {came}\n")
        return len(data)


if __name__ == "__main__":
    mount_point, scene, record = sys.argv[1:]
    kernel = Kernel(json.loads(Path(scene).read_text()))
    os.environ.setdefault("FUSE_LIBRARY_PATH", "libfuse3.so.3")
    FUSE(
        Sysfs(kernel, Path(record)),
        mount_point,
        foreground=True,
        nothreads=True,
        direct_io=True,
        attr_timeout=0,
        entry_timeout=0,
    )
