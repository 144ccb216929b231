"""The config drive: found by its label, read once, whole."""

import os
import stat
import tempfile
from typing import Dict, Iterator, Optional, Tuple

from .errors import CommandFailed, CouldNotAsk, NotThere
from .machine import Machine

_LABELS = ("config-2", "CONFIG-2")  # iso9660 keeps the case, vfat may not
_MOST_FILES = 4096
_MOST_BYTES = 64 << 20  # the size of Nova's vfat drive
# What has become a link or a pipe meanwhile is not followed, and holds nothing up.
_SAFELY = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
# A user's own file system (FUSE) may give any name for its device.
_KERNELS = ("iso9660", "vfat", "msdos", "udf", "ext2", "ext3", "ext4")


class Drive:
    """What a config drive says.

    Args:
        files: name, below the drive's root, to content.
    """

    def __init__(self, files: Dict[str, bytes]) -> None:
        self._files = files

    def get(self, path: str) -> bytes:
        """The bytes of one document, by the path that it also has over HTTP.

        Raises:
            NotThere: the drive has none of that name.
        """
        try:
            return self._files[path.strip("/")]
        except KeyError:
            raise NotThere(f"the config drive has no {path}") from None

    def names(self) -> Tuple[str, ...]:
        """Every path on it."""
        return tuple(f"/{name}" for name in sorted(self._files))


def find(machine: Machine) -> Optional[Drive]:
    """The drive of this machine; None if it has none.

    Raises:
        CouldNotAsk: there is one that cannot be read.
    """
    device = _device(machine)
    if device is None:
        return None
    mounted = _mount_point(machine, device)
    return load(mounted) if mounted else _mount_and_load(machine, device)


def load(directory: str) -> Drive:
    """The drive whose tree is in this directory.

    Raises:
        CouldNotAsk: it cannot be read, or is no config drive.
    """
    try:
        files = dict(_files(directory))
    except OSError as error:
        raise CouldNotAsk(f"the config drive cannot be read: {error}") from error
    if not any(name.startswith(("openstack/", "ec2/")) for name in files):
        raise CouldNotAsk(f"{directory} is no config drive: there is no openstack/ in it")
    return Drive(files)


def _files(top: str) -> Iterator[Tuple[str, bytes]]:
    count, size = 0, 0
    for directory, _directories, names, held in os.fwalk(top):
        for name in names:
            status = os.stat(name, dir_fd=held, follow_symlinks=False)
            if not stat.S_ISREG(status.st_mode):
                continue
            count, size = count + 1, size + status.st_size
            if count > _MOST_FILES or size > _MOST_BYTES:
                raise OSError("it is larger than a config drive can be")
            with open(os.open(name, _SAFELY, dir_fd=held), "rb") as file:
                path = os.path.join(directory, name)
                yield os.path.relpath(path, top), file.read(status.st_size)


def _device(machine: Machine) -> Optional[str]:
    for label in _LABELS:
        by_label = f"/dev/disk/by-label/{label}"
        if machine.exists(by_label):
            return machine.path(machine.real(by_label))
    for label in _LABELS:  # before udev has been there
        try:
            found = machine.run(["blkid", "-l", "-o", "device", "-t", f"LABEL={label}"]).strip()
        except CommandFailed:
            continue
        if found:
            return found
    return None


def _mount_point(machine: Machine, device: str) -> Optional[str]:
    real = os.path.realpath(device)
    for line in machine.read_or("/proc/self/mounts").splitlines():
        source, place, kind = line.split()[:3]
        if kind in _KERNELS and os.path.realpath(source) == real:
            return place.replace("\\040", " ")
    return None


def _mount_and_load(machine: Machine, device: str) -> Drive:
    place = tempfile.mkdtemp(prefix="firstlight-drive-")
    try:
        machine.run(["mount", "-o", "ro,nosuid,nodev,noexec", device, place])
        try:
            return load(place)
        finally:
            machine.run(["umount", place])
    except CommandFailed as error:
        raise CouldNotAsk(
            f"the config drive {device} cannot be read (are you root?): {error}"
        ) from None
    finally:
        os.rmdir(place)
