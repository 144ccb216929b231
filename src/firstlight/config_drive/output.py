"""Files that appear whole or not at all, and that no other user may read from the first moment.

An image holds a password. Where the file system can (``O_TMPFILE``: ext4, XFS, Btrfs, tmpfs) it is
written to a file without a name, of which nothing is left even if the process is killed; elsewhere
(NFS) to a hidden one beside the target, which is removed unless the process is killed. Only whole
does it get a name beside the target, for the moment until it is renamed.

The directory is opened once, and everything is done in it by its descriptor: nobody who may write
there, or rename it, can have another file replaced than the one of that name in it.
"""

import errno
import os
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from stat import S_ISREG
from typing import BinaryIO

from firstlight.config_drive.image import ZEROS

_MODE = 0o600
_BLOCK = 4096  # bytes of a file system: so many zeros in a row need not be stored
_UNKNOWN = (errno.EOPNOTSUPP, errno.EISDIR, errno.ENOENT, errno.EINVAL)  # no O_TMPFILE here
_OWN_FILES = "/proc/self/fd"  # absent from some chroots


def write(chunks: Iterable[bytes], target: Path) -> None:
    """Make `target` hold these bytes, mode 0600, in the place of what it was.

    On return it is on the disk. If anything fails `target` is what it was before. A symbolic link
    is replaced, and what it leads to stays: the link may be another user's.

    Raises:
        OSError: it cannot be written; FileExistsError if `target` is something else than a regular
            file (a block device, say), or a link to such, which a rename would put away.
    """
    directory = os.open(target.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        _refuse_special(directory, target)
        with _beside(directory, target.name) as (file, temporary):
            for chunk in chunks:
                _append(file, chunk)
            file.truncate()
            file.flush()
            os.fsync(file.fileno())
            _name(file, directory, temporary)
            os.rename(temporary, target.name, src_dir_fd=directory, dst_dir_fd=directory)
        os.fsync(directory)  # the rename, too, survives a power cut
    finally:
        os.close(directory)


def _refuse_special(directory: int, target: Path) -> None:
    try:
        status = os.stat(target.name, dir_fd=directory)
    except FileNotFoundError:  # or a link that leads nowhere
        return
    if not S_ISREG(status.st_mode):
        raise FileExistsError(errno.EEXIST, "not a regular file; write to -, and copy", str(target))


def _name(file: BinaryIO, directory: int, temporary: str) -> None:
    """Give a file without a name this one."""
    if os.fstat(file.fileno()).st_nlink == 0:
        # Only with a directory handed in, which an absolute path makes no use of, does Python take
        # the system call that looks through the link of /proc.
        own = f"{_OWN_FILES}/{file.fileno()}"
        os.link(own, temporary, src_dir_fd=directory, dst_dir_fd=directory)


def _append(file: BinaryIO, chunk: bytes) -> None:
    """Zeros by the block become a hole: a vfat image of 64 MiB takes as much as is in it."""
    if len(chunk) >= _BLOCK and ZEROS.startswith(chunk):
        file.seek(len(chunk), os.SEEK_CUR)
    else:
        file.write(chunk)


@contextmanager
def _beside(directory: int, name: str) -> Iterator[tuple[BinaryIO, str]]:
    """An empty file in the directory, and the name it has or is to be given."""
    temporary = f".{name[:200]}.{secrets.token_hex(8)}"
    descriptor = _open(directory, temporary)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file, temporary
    finally:
        with suppress(FileNotFoundError):
            os.unlink(temporary, dir_fd=directory)


def _open(directory: int, temporary: str) -> int:
    if Path(_OWN_FILES).is_dir():
        hidden = os.O_TMPFILE | os.O_WRONLY | os.O_CLOEXEC
        try:
            return os.open(".", hidden, _MODE, dir_fd=directory)
        except OSError as error:
            if error.errno not in _UNKNOWN:
                raise
    named = os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_WRONLY | os.O_CLOEXEC
    return os.open(temporary, named, _MODE, dir_fd=directory)
