"""Make an image that starts in a partition on IBM Z, and holds nothing of the machine it grew on.

Every step runs twice without harm and says what it changed. With a root other than ``/``, programs
of the image run in it (chroot).
"""

import errno
import os
import re
import tempfile
from contextlib import suppress
from typing import Callable, List, NamedTuple

from .errors import CommandFailed, GuestError
from .installing import install, put, shipped
from .machine import Machine

_CLEAN = {  # directory: beginnings of the names that go
    "/etc/udev/rules.d": ("70-persistent-net.rules", "41-qeth-", "41-cio-ignore", "41-zfcp-"),
    "/etc/sysconfig/network-scripts": ("ifcfg-enc", "ifcfg-eth"),
    "/etc/NetworkManager/system-connections": ("enc", "eth", "Wired"),
    "/etc/ssh": ("ssh_host_",),
    "/var/lib/cloud": ("",),
    "/var/lib/dhclient": ("",),
    "/var/lib/dhcp": ("",),
    "/var/lib/systemd": ("random-seed",),
    "/var/lib/dbus": ("machine-id",),
    "/var/log": ("cloud-init", "messages", "syslog", "secure", "auth.log", "journal", "audit"),
    "/var/tmp": ("",),  # noqa: S108  looked into, not written to
    "/root": (".bash_history",),
}
_BLOCK = b"\0" * (1 << 20)
_ZEROS = "/.firstlight-zeros"
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)  # which is what was wanted
_MODULE = "/usr/lib/dracut/modules.d/90firstlight-dpm"
_DRACUT = {"initramfs-dracut-module": "module-setup.sh", "initramfs-dracut-ipl": "ipl-device.sh"}
_ZIPL = "/etc/zipl.conf"
_ENTRIES = "/boot/loader/entries"
# A card of the machine that the image grew on, among the kernel's words.
_ADAPTER = re.compile(rb"[ \t]*\brd\.zfcp=[^\s\"']+")
_BUILT = "/var/lib/firstlight-guest/initramfs-is-built"


class Step(NamedTuple):
    """One step: its name, and what does it and returns what it changed."""

    name: str
    do: Callable[[Machine], List[str]]


def tools(machine: Machine) -> List[str]:
    """The guest tools, with their units enabled."""
    return install(machine, "dpm")


def initramfs(machine: Machine) -> List[str]:
    """The initramfs brings up the adapter that firmware started by, and no other.

    Whichever of dracut and initramfs-tools the image has builds it anew if something changed; and
    zipl, which has written down where on the disk the old one was.
    """
    changed = put(machine, "/etc/zfcp.conf", b"") + _no_adapter_named(machine)
    if machine.program("dracut"):
        conf = shipped("image/dracut.conf")
        changed += put(machine, "/etc/dracut.conf.d/90-firstlight-dpm.conf", conf)
        for source, name in _DRACUT.items():
            changed += put(machine, f"{_MODULE}/{name}", shipped(f"image/{source}"), 0o755)
        rebuild = ["dracut", "--force", "--regenerate-all", "--no-hostonly"]
    elif machine.program("update-initramfs"):
        name = "/etc/initramfs-tools/scripts/init-premount/firstlight-dpm"
        changed += put(machine, name, shipped("image/init-premount"), 0o755)
        hook = "/etc/initramfs-tools/hooks/firstlight-dpm"
        changed += put(machine, hook, shipped("image/initramfs-hook"), 0o755)
        rebuild = ["update-initramfs", "-u", "-k", "all"]
    else:
        raise GuestError("the image has neither dracut nor initramfs-tools")
    if changed and machine.exists(_BUILT):
        _remove(machine, _BUILT)
    if not machine.exists(_BUILT):
        _inside(machine, rebuild)
        if machine.exists(_ZIPL):
            _inside(machine, ["zipl"])
        changed += put(machine, _BUILT, b"")  # last: a build that failed is tried again
    return changed


def _no_adapter_named(machine: Machine) -> List[str]:
    """The boot loader's words for the kernel name no adapter either."""
    entries = [name for name in machine.names(_ENTRIES) if name.endswith(".conf")]
    changed: List[str] = []
    for place in [_ZIPL, *(f"{_ENTRIES}/{name}" for name in entries)]:
        if machine.exists(place):
            with machine.hold(place, follow=True) as held:
                opened = held.open(os.O_RDONLY)
            with open(opened, "rb") as file:
                mode, data = os.fstat(opened).st_mode & 0o777, file.read()
            changed += put(machine, place, _ADAPTER.sub(b"", data), mode)
    return changed


def cloud_init(machine: Machine) -> List[str]:
    """cloud-init asks OpenStack only, grows the disk, and starts after the first card is up."""
    if not machine.exists("/etc/cloud/cloud.cfg"):
        raise GuestError("the image has no cloud-init: install it, with growpart, first")
    if not machine.program("growpart"):
        raise GuestError(
            "the image has no growpart: install cloud-utils-growpart or cloud-guest-utils"
        )
    changed = put(
        machine, "/etc/cloud/cloud.cfg.d/90-firstlight-dpm.cfg", shipped("image/cloud.cfg")
    )
    drop_in = "/etc/systemd/system/cloud-init-local.service.d/firstlight-dpm.conf"
    return changed + put(machine, drop_in, shipped("image/cloud-init-local.conf"))


def clean(machine: Machine) -> List[str]:
    """What belongs to one machine only goes: names of cards, keys, identities, logs, leases."""
    changed: List[str] = []
    for directory, beginnings in _CLEAN.items():
        for name in machine.names(directory):
            if name.startswith(beginnings):
                _remove(machine, f"{directory}/{name}")
                changed.append(f"{directory}/{name}")
    # Empty, not missing: systemd fills it at the first start.
    return changed + put(machine, "/etc/machine-id", b"", 0o444)


def _remove(machine: Machine, name: str) -> None:
    with machine.hold(name) as held:
        held.remove()


STEPS = (
    Step("tools", tools),
    Step("initramfs", initramfs),
    Step("cloud-init", cloud_init),
    Step("clean", clean),
)


def zero(machine: Machine) -> None:
    """Overwrite what is free, so that an export is small, and holds nothing that was deleted.

    Raises:
        GuestError: the disk refuses for another reason than being full.
    """
    with machine.hold(_ZEROS) as held:
        with suppress(FileNotFoundError):
            held.remove()  # of a run that was killed, or a trap
        opened = held.open(os.O_WRONLY | os.O_CREAT | os.O_EXCL)
        try:
            with open(opened, "wb", buffering=0) as file:
                while file.write(_BLOCK):
                    pass
        except OSError as error:
            if error.errno not in _FULL:
                raise GuestError(f"free space cannot be overwritten: {error.strerror}") from error
        finally:
            os.sync()
            held.remove()


def export(machine: Machine, device: str, target: str) -> None:
    """Write a disk as qcow2, whole or not at all.

    Raises:
        CommandFailed: qemu-img is missing or fails.
    """
    if machine.program("qemu-img") is None:
        raise CommandFailed("qemu-img is not installed: qemu-utils, or qemu-img on RHEL")
    # A directory of its own: where other users may write, they must not choose what is written.
    with tempfile.TemporaryDirectory(
        dir=os.path.dirname(target) or ".", prefix=".firstlight-"
    ) as own:
        beside = os.path.join(own, "image")
        convert = ["qemu-img", "convert", "-c", "-O", "qcow2", device, beside]
        machine.run(convert, patience=24 * 3600)
        os.replace(beside, target)


def _inside(machine: Machine, words: List[str]) -> None:
    if machine.root == "/":
        machine.run(words, patience=3600)
    else:
        Machine("/").run(["chroot", machine.root, *words], patience=3600)
