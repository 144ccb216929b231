"""The config drive: found by its label, read once, whole."""

import os
import tempfile
from typing import Dict, Iterator, Optional, Tuple

from .errors import CommandFailed, CouldNotAsk, NotThere
from .machine import Machine

_LABELS = ("config-2", "CONFIG-2")  # iso9660 keeps the case, vfat may not
_MOST_FILES = 4096
_MOST_BYTES = 64 << 20  # the size of Nova's vfat drive


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
    for directory, _directories, names in os.walk(top):
        for name in names:
            path = os.path.join(directory, name)
            if os.path.islink(path):
                continue
            count, size = count + 1, size + os.path.getsize(path)
            if count > _MOST_FILES or size > _MOST_BYTES:
                raise OSError("it is larger than a config drive can be")
            with open(path, "rb") as file:
                yield os.path.relpath(path, top), file.read(_MOST_BYTES)


def _device(machine: Machine) -> Optional[str]:
    for label in _LABELS:
        by_label = f"/dev/disk/by-label/{label}"
        if machine.exists(by_label):
            return machine.path(by_label)
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
        source, place = line.split()[:2]
        if os.path.realpath(source) == real:
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
