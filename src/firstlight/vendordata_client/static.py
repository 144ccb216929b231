"""StaticJSON: one file of the operator's, the same for every instance."""

import json
import logging
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

LOG = logging.getLogger(__name__)

# File systems stamp with a clock that stands still for some milliseconds (NFS and FAT for up to two
# seconds), so a file read this soon after its stamp may change once more under the same stamp.
_STAMP_SECONDS = 2.0


class StaticUnavailable(Exception):
    """The static vendor data cannot be read and never could; the message names file and reason."""


class _Stamp(NamedTuple):
    """What changes when a file does."""

    inode: int
    size: int
    modified: int
    changed: int  # chmod alone moves this one

    @classmethod
    def of(cls, status: os.stat_result) -> "_Stamp":
        return cls(status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


class StaticJSON:
    """The value of ``[api] vendordata_jsonfile_path``, always as the file says now.

    The file is looked at (one `stat`) each time the value is asked for, and parsed again only when
    it has changed. Once a good version is known, a later one that cannot be read does not replace
    it. Any thread may call any method.

    Args:
        path: the file, any JSON value in it; None: there is no file, and the value is ``{}``.
        clock: seconds since the epoch, by the clock that stamps files.
    """

    def __init__(self, path: str | None, *, clock: Callable[[], float] = time.time) -> None:
        self._path = Path(path) if path else None
        self._clock = clock
        self._lock = threading.Lock()
        self._known = self._path is None
        self._value: Any = {}
        self._stamp: _Stamp | None = None
        self._settled = False
        self._problem: str | None = None

    def value(self) -> Any:
        """The file's value, or its last good one. Callers share it and must not change it.

        Raises:
            StaticUnavailable: the file cannot be read, and no good version of it is known.
        """
        with self._lock:
            self._refresh()
            if not self._known:
                raise StaticUnavailable(self._problem)
            return self._value

    def problem(self) -> str | None:
        """Why the value is stale or missing, for people; None when it is what the file says."""
        with self._lock:
            self._refresh()
            return self._problem

    def _refresh(self) -> None:
        if self._path is None:
            return
        try:
            if self._is_current(self._path):
                return
            self._value = self._read(self._path)
        except (OSError, ValueError, RecursionError) as error:
            self._report(f"static vendor data {self._path}: {_reason(error)}")
        else:
            self._known = True
            self._recover()

    def _is_current(self, path: Path) -> bool:
        """While there is a problem nothing is current: it may go away without a new stamp."""
        return (
            self._problem is None and self._settled and self._stamp == _Stamp.of(os.stat(path))  # noqa: PTH116  (beside os.fstat)
        )

    def _read(self, path: Path) -> Any:
        with path.open("rb") as file:
            status = os.fstat(file.fileno())  # before the content: what is written later, is newer
            content = file.read()
        self._stamp = _Stamp.of(status)
        self._settled = self._clock() - status.st_mtime > _STAMP_SECONDS
        if not content.strip():
            raise ValueError("the file is empty")
        return json.loads(content)

    def _report(self, problem: str) -> None:
        """Say it once per change, not once per guest."""
        if problem == self._problem:
            return
        self._problem = problem
        served = "its last good version is served" if self._known else "there is nothing to serve"
        LOG.warning("%s; %s", problem, served)

    def _recover(self) -> None:
        if self._problem is not None:
            LOG.info("static vendor data %s: readable again", self._path)
        self._problem = None


def _reason(error: Exception) -> str:
    if isinstance(error, OSError):
        return error.strerror or str(error)
    if isinstance(error, RecursionError):
        return "nested too deeply"
    return f"not JSON: {error}" if isinstance(error, json.JSONDecodeError) else str(error)
