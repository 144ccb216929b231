"""Files that appear whole or not at all, and that nobody else may read from the first moment.

An image holds a password. Where the file system can (``O_TMPFILE``: ext4, XFS, Btrfs, tmpfs) it is
written to a file without a name, of which nothing is left even if the process is killed; elsewhere
(NFS) to a hidden one beside the target, which is removed unless the process is killed. Only whole
does it get a name beside the target, for the moment until it is renamed.
"""

import errno
import os
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from firstlight.drive.image import ZEROS

_MODE = 0o600
_BLOCK = 4096  # bytes of a file system: so many zeros in a row need not be stored
_UNKNOWN = (errno.EOPNOTSUPP, errno.EISDIR, errno.ENOENT, errno.EINVAL)  # no O_TMPFILE here
_OWN_FILES = "/proc/self/fd"  # absent from some chroots


def write(chunks: Iterable[bytes], target: Path) -> None:
    """Make `target` hold these bytes, mode 0600, in the place of what it was.

    On return it is on the disk. If anything fails `target` is what it was before. A symbolic link
    is followed, so that it stays one.

    Raises:
        OSError: it cannot be written; FileExistsError if `target` is something else than a regular
            file (a block device, say), which a rename would put away.
    """
    target = Path(os.path.realpath(target))
    if target.exists() and not target.is_file():
        raise FileExistsError(errno.EEXIST, "not a regular file; write to -, and copy", str(target))
    with _beside(target) as (file, temporary):
        for chunk in chunks:
            _append(file, chunk)
        file.truncate()
        file.flush()
        os.fsync(file.fileno())
        _name(file, temporary)
        temporary.replace(target)
    _sync(target.parent)


def _name(file: BinaryIO, temporary: Path) -> None:
    """Give a file without a name this one."""
    if not temporary.exists():
        # Only with a directory handed in, which an absolute path makes no use of, does Python take
        # the system call that looks through the link of /proc.
        os.link(f"{_OWN_FILES}/{file.fileno()}", temporary, src_dir_fd=file.fileno())


def _append(file: BinaryIO, chunk: bytes) -> None:
    """Zeros by the block become a hole: a vfat image of 64 MiB takes as much as is in it."""
    if len(chunk) >= _BLOCK and ZEROS.startswith(chunk):
        file.seek(len(chunk), os.SEEK_CUR)
    else:
        file.write(chunk)


@contextmanager
def _beside(target: Path) -> Iterator[tuple[BinaryIO, Path]]:
    """An empty file in the directory of `target`, and the name it has or is to be given."""
    temporary = target.with_name(f".{target.name[:200]}.{secrets.token_hex(8)}")
    descriptor = _open(target.parent, temporary)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file, temporary
    finally:
        with suppress(FileNotFoundError):
            temporary.unlink()


def _open(directory: Path, temporary: Path) -> int:
    if Path(_OWN_FILES).is_dir():
        try:
            return os.open(directory, os.O_TMPFILE | os.O_WRONLY | os.O_CLOEXEC, _MODE)
        except OSError as error:
            if error.errno not in _UNKNOWN:
                raise
    return os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, _MODE)


def _sync(directory: Path) -> None:
    """The rename, too, survives a power cut."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
