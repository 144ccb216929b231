"""A guest in QEMU: another kernel, with a config drive and a network card of its own."""

import platform
import shutil
import subprocess
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

from guests.booting import CloudInit
from guests.initramfs import Kernel, Root, kernel, machine_root
from guests.net import GUEST_MACS, Namespace
from support.parts import absent, need

_PATIENCE = 300  # seconds for a boot without KVM on a busy machine; it takes some ten
_MEMORY = 768  # MiB; the root file system is in it
_RESULT = 64 * 1024 * 1024  # bytes of the disk the guest writes to

# How libvirt attaches each kind of drive.
_ATTACHED = {
    "iso9660": (
        *("-device", "virtio-scsi-pci"),
        *("-drive", "if=none,id=drive,media=cdrom,format=raw,readonly=on,file={path}"),
        *("-device", "scsi-cd,drive=drive"),
    ),
    "vfat": ("-drive", "if=virtio,format=raw,readonly=on,file={path}"),
}


class Seen(NamedTuple):
    """What a guest found, by paths in its ``/result`` (root/boot)."""

    files: Mapping[str, bytes]
    modes: Mapping[str, int]

    def below(self, name: str) -> dict[str, bytes]:
        """The files of one directory."""
        prefix = f"{name}/"
        found = {path: body for path, body in self.files.items() if path.startswith(prefix)}
        return {path.removeprefix(prefix): body for path, body in found.items()}


class Machine:
    """A kernel and its root file system; each boot adds a cloud-init to it."""

    def __init__(self, home: Path) -> None:
        if platform.machine() != "x86_64":
            absent("the virtual machine is made of an x86-64 kernel and programs")
        self._qemu = need("qemu-system-x86_64")
        self._kernel: Kernel = kernel()
        (home / "root").mkdir()
        self._root = machine_root(home / "root", self._kernel.version).pack(home / "root.cpio")

    def boot(
        self, inside: Namespace, cloud_init: CloudInit, drive: Path, form: str, home: Path
    ) -> Seen:
        """Boot with that drive, in the network of that namespace, until the guest is done."""
        archive, result = self._archive(cloud_init, home), home / "result"
        with result.open("wb") as disk:
            disk.truncate(_RESULT)
        attached = [word.format(path=drive) for word in _ATTACHED[form]]
        command = [*self._command(archive), *attached, *_result(result), *_network()]
        try:
            done = subprocess.run(
                inside.command(*command),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=_PATIENCE,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            pytest.fail(f"the guest did not come to an end:\n{error.output!r}")
        try:
            return _read(result)
        except (tarfile.TarError, EOFError):
            pytest.fail(f"the guest left nothing:\n{done.stdout[-3000:]}{done.stderr}")

    def _archive(self, cloud_init: CloudInit, home: Path) -> Path:
        (home / "root").mkdir()
        root = Root(home / "root")
        for part in ("usr/lib/python3/dist-packages/cloudinit", "etc/cloud/templates"):
            root.put(cloud_init.tree / part, f"cloud-init/{part}")
        whole = root.pack(home / "root.cpio")
        with (home / "initrd").open("wb") as output:  # the kernel unpacks one after the other
            for piece in (self._root, whole):
                with piece.open("rb") as archive:
                    shutil.copyfileobj(archive, output)
        return home / "initrd"

    def _command(self, archive: Path) -> list[str | Path]:
        # Nova's libvirt driver says who made the machine in the same words.
        smbios = "type=1,manufacturer=OpenStack Foundation,product=OpenStack Nova"
        return [
            *(self._qemu, "-nodefaults", "-nographic", "-no-reboot", "-serial", "stdio"),
            *("-machine", "q35,accel=tcg", "-cpu", "max", "-m", str(_MEMORY)),
            *("-kernel", self._kernel.image, "-initrd", archive),
            *("-append", "console=ttyS0 quiet panic=-1", "-smbios", smbios),
        ]


def _result(path: Path) -> list[str]:
    disk = f"if=none,id=result,format=raw,file={path}"
    return ["-drive", disk, "-device", "virtio-blk-pci,drive=result,serial=result"]


def _network() -> list[str]:
    """Cards with the ports' addresses; QEMU itself is the router, in its own namespace."""
    words = []
    for name, mac in GUEST_MACS.items():
        card = f"virtio-net-pci,netdev={name},mac={mac},romfile="
        words += ["-netdev", f"user,id={name},ipv6=off", "-device", card]
    return words


def _read(disk: Path) -> Seen:
    files, modes = {}, {}
    with tarfile.open(disk) as archive:
        for member in archive:
            path = member.name.removeprefix("./")
            modes[path] = member.mode
            content = archive.extractfile(member)
            if content is not None:
                files[path] = content.read()
    return Seen(files, modes)
