"""Files below a root, and nowhere else, whatever links say there and whatever is renamed meanwhile.

A name is walked component by component: each directory is opened in the one before it, never
through a link (dir_fd and O_NOFOLLOW, openat(2)). A link is read and walked as if the root were
``/``, as chroot(2) would; openat2(2), which does it in one call, is newer than the oldest kernel
that guests have. What is done then is done in the directory that is held, whatever its name has
become.
"""

import errno
import os
from contextlib import contextmanager, suppress
from typing import Iterator, List, NamedTuple, Optional

_HOPS = 40  # links in one name, as in the kernel
_ENTER = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_LIST = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# Nothing that is opened may be a link, hold up the process as a pipe does, or become its terminal.
_SAFELY = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_MAKE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class Held(NamedTuple):
    """A directory that is open, a name in it, and the path from the root to it."""

    directory: int
    name: str
    path: str

    def open(self, flags: int, mode: int = 0o600) -> int:
        """A descriptor of the file of that name.

        Raises:
            OSError: there is none, or it is a link.
        """
        return os.open(self.name, flags | _SAFELY, mode, dir_fd=self.directory)

    def list(self) -> List[str]:
        """What is in the directory of that name.

        Raises:
            OSError: it is no directory.
        """
        opened = os.open(self.name, _LIST, dir_fd=self.directory)
        try:
            return os.listdir(opened)
        finally:
            os.close(opened)

    def link(self) -> Optional[str]:
        """Where the link of that name leads; None if it is none."""
        try:
            return os.readlink(self.name, dir_fd=self.directory)
        except OSError:
            return None

    def status(self) -> os.stat_result:
        """What stat(2) says, of a link itself.

        Raises:
            OSError: there is nothing of that name.
        """
        return os.stat(self.name, dir_fd=self.directory, follow_symlinks=False)

    def put(self, data: bytes, mode: int) -> None:
        """Have a file of that name, whole or not at all, in the place of a file or link."""
        beside = self._beside()
        descriptor = os.open(beside, _MAKE, 0o600, dir_fd=self.directory)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fchmod(file.fileno(), mode)
                os.fsync(file.fileno())
            self._rename(beside)
        except BaseException:
            os.unlink(beside, dir_fd=self.directory)
            raise

    def put_link(self, target: str) -> None:
        """Have a symbolic link of that name, in the place of a file or link."""
        beside = self._beside()
        os.symlink(target, beside, dir_fd=self.directory)
        try:
            self._rename(beside)
        except BaseException:
            os.unlink(beside, dir_fd=self.directory)
            raise

    def remove(self) -> None:
        """Delete the file, the link, or the directory with all that is in it, of that name.

        Raises:
            OSError: there is none; or another file system is mounted there or in it, of which
                nothing is deleted.
        """
        _remove(self.directory, self.name)

    def _beside(self) -> str:
        return ".firstlight-" + os.urandom(8).hex()

    def _rename(self, beside: str) -> None:
        os.rename(beside, self.name, src_dir_fd=self.directory, dst_dir_fd=self.directory)


@contextmanager
def hold(root: str, name: str, *, follow: bool = False, create: bool = False) -> Iterator[Held]:
    """Hold the directory that a name is in, until the end of the block.

    Args:
        root: a directory, by a name that is the caller's own.
        name: from there, with or without a slash in front.
        follow: if the last component is a link, go where it leads.
        create: make directories that are missing.

    Raises:
        OSError: a directory is missing, or is none; or there are more than 40 links (ELOOP).
    """
    walk = _Walk(root, create)
    try:
        last = walk.to(name, follow)
        yield Held(walk.here, last, "/" + "/".join(walk.names + _parts(last)))
    finally:
        walk.close()


class _Walk:
    """Where a walk has come: the directories from the root to `here`, all of them open."""

    def __init__(self, root: str, create: bool) -> None:
        self.names: List[str] = []
        self._create = create
        self._open = [os.open(root, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)]
        self._todo: List[str] = []
        self._hops = 0

    @property
    def here(self) -> int:
        return self._open[-1]

    def close(self) -> None:
        for opened in self._open:
            os.close(opened)

    def to(self, name: str, follow: bool) -> str:
        """Walk; returns the last component, which has not been entered."""
        self._todo = _parts(name)
        while self._todo:
            part = self._todo.pop(0)
            if part == "..":
                self._leave()
            elif self._todo:
                self._enter(part)
            elif not (follow and self._turn(part)):
                return part
        return "."

    def _enter(self, part: str) -> None:
        while True:
            try:
                self._open.append(os.open(part, _ENTER, dir_fd=self.here))
            except OSError as error:
                if error.errno == errno.ENOENT and self._create:
                    self._make(part)
                    continue
                if error.errno in (errno.ENOTDIR, errno.ELOOP) and self._turn(part):
                    return
                raise
            self.names.append(part)
            return

    def _leave(self) -> None:
        """To the directory that was come from; from the root, to the root."""
        if self.names:
            os.close(self._open.pop())
            self.names.pop()

    def _make(self, part: str) -> None:
        self._count(part)  # another process may delete it again and again
        with suppress(FileExistsError):  # made meanwhile
            os.mkdir(part, 0o755, dir_fd=self.here)

    def _turn(self, part: str) -> bool:
        """Go on where a link leads; False: it is none."""
        try:
            target = os.readlink(part, dir_fd=self.here)
        except OSError:
            return False
        self._count(part)
        if target.startswith("/"):
            while self.names:
                self._leave()
        self._todo[:0] = _parts(target)
        return True

    def _count(self, part: str) -> None:
        self._hops += 1
        if self._hops > _HOPS:
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), part)


def _parts(name: str) -> List[str]:
    return [part for part in name.split("/") if part not in ("", ".")]


def _remove(directory: int, name: str) -> None:
    try:
        opened = os.open(name, _LIST, dir_fd=directory)
    except OSError as error:
        if error.errno not in (errno.ENOTDIR, errno.ELOOP):
            raise
        os.unlink(name, dir_fd=directory)
        return
    try:
        if os.fstat(opened).st_dev != os.fstat(directory).st_dev:
            raise OSError(errno.EBUSY, "a file system is mounted there", name)
        for each in os.listdir(opened):
            _remove(opened, each)
    finally:
        os.close(opened)
    os.rmdir(name, dir_fd=directory)
