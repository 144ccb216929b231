"""Watching the directory in which namespaces have their names."""

import asyncio
import os
import select
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from firstlight.relay.broker.kernel import watch_directory

_NAMES_CHANGE = 0x100 | 0x200 | 0x40 | 0x80  # IN_CREATE, _DELETE, _MOVED_FROM, _MOVED_TO
_SELF_GONE = 0x400 | 0x800  # IN_DELETE_SELF, IN_MOVE_SELF
_MOUNTS = "/proc/self/mountinfo"

Identity = tuple[int, int]  # device and inode


class Directory:
    """Calls `changed` when something happened in a directory, which need not exist yet.

    That is when a name appears or vanishes, and when a file system is mounted or unmounted: the
    file of a namespace is made first, and the namespace mounted on it afterwards.
    """

    def __init__(self, path: Path, changed: Callable[[], None]) -> None:
        self._path = path
        self._changed = changed
        self._loop = asyncio.get_running_loop()
        self._watch = -1
        self._watched: Identity | None = None  # None: the directory is still to come
        self._mounts = _Mounts(self._loop, self._happened)
        self._arm()
        self._follow()

    def entries(self) -> dict[str, Identity]:
        """The names that are there, and which file each of them is now."""
        found: dict[str, Identity] = {}
        with suppress(FileNotFoundError):
            for name in os.listdir(self._path):  # noqa: PTH208  the names alone are wanted
                with suppress(FileNotFoundError):  # meanwhile
                    found[name] = _identity(self._path / name)
        return found

    def close(self) -> None:
        """Watch no more."""
        self._disarm()
        self._mounts.close()

    def _arm(self) -> None:
        """Watch it, or what is to contain it."""
        self._disarm()
        try:
            self._watch = watch_directory(str(self._path), _NAMES_CHANGE | _SELF_GONE)
            self._watched = self._present()
        except FileNotFoundError:
            self._watch = watch_directory(str(self._path.parent), _NAMES_CHANGE)
            self._watched = None
        self._loop.add_reader(self._watch, self._read)

    def _disarm(self) -> None:
        if self._watch >= 0:
            self._loop.remove_reader(self._watch)
            os.close(self._watch)
            self._watch = -1

    def _read(self) -> None:
        with suppress(BlockingIOError):
            os.read(self._watch, 65536)
        self._happened()

    def _happened(self) -> None:
        self._follow()
        self._changed()

    def _follow(self) -> None:
        """Watch what has the directory's name now."""
        while self._present() != self._watched:
            self._arm()

    def _present(self) -> Identity | None:
        try:
            return _identity(self._path)
        except FileNotFoundError:
            return None


class _Mounts:
    """Calls `changed` when something was mounted or unmounted: proc(5), /proc/pid/mountinfo."""

    def __init__(self, loop: asyncio.AbstractEventLoop, changed: Callable[[], None]) -> None:
        self._loop = loop
        self._changed = changed
        self._file = os.open(_MOUNTS, os.O_RDONLY | os.O_CLOEXEC)
        # The file is always readable, and tells of changes by priority alone, for which event
        # loops have no word; this descriptor is readable when it does.
        self._poll = select.epoll()
        self._poll.register(self._file, select.EPOLLPRI)
        loop.add_reader(self._poll.fileno(), self._read)

    def close(self) -> None:
        self._loop.remove_reader(self._poll.fileno())
        self._poll.close()
        os.close(self._file)

    def _read(self) -> None:
        if self._poll.poll(0):
            self._changed()


def _identity(path: Path) -> Identity:
    status = os.stat(path, follow_symlinks=False)  # noqa: PTH116  (once for each of hundreds)
    return status.st_dev, status.st_ino
