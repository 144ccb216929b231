"""The store's own file: made privately, whole, and recognised when it is another one."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from sqlalchemy import URL


def path_of(url: URL) -> Path:
    """The file an SQLite URL names, absolute: a daemon may change its directory later."""
    return Path(str(url.database)).absolute()


def identity(path: Path) -> tuple[int, int] | None:
    """What tells this file from another at the same path; None if there is none."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


def create(path: Path) -> None:
    """Make an empty store there, readable by its owner alone (guests' passwords), if none is.

    The file is made beside its place and linked into it, so that two processes which start at once
    get the same one, and nobody ever sees it half made or opens it without SQLite, which would
    drop this process's locks on it (sqlite.org/howtocorrupt.html §2.2).

    Raises:
        OSError, sqlite3.Error: it cannot be made; nothing is left behind.
    """
    if path.exists():
        return
    path.parent.mkdir(mode=0o700, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        os.close(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        _give_to_owner_of(path.parent, draft)
        with closing(sqlite3.connect(draft)) as connection:
            connection.execute("PRAGMA journal_mode = WAL")
        _link(draft, path)
    finally:
        draft.unlink(missing_ok=True)


def _give_to_owner_of(directory: Path, file: Path) -> None:
    """What root makes in the service's directory, with sudo, is the service's."""
    if os.geteuid() == 0:
        owner = directory.stat()
        os.chown(file, owner.st_uid, owner.st_gid)


def _link(draft: Path, path: Path) -> None:
    try:
        path.hardlink_to(draft)
    except FileExistsError:
        return  # another process was first; its file is as good
    directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(directory)  # an acknowledged write needs its file's name on the disk, too
    finally:
        os.close(directory)
