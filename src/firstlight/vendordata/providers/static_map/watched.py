"""The rules of a file that may change at any time."""

import logging
import os
from pathlib import Path
from threading import Lock

from firstlight.vendordata.providers.static_map.reading import RulesInvalid, read_rules
from firstlight.vendordata.providers.static_map.rules import Rules

LOG = logging.getLogger(__name__)

# What tells two versions of a file apart: an editor writes a new inode, a script the same one.
_Version = tuple[int, int, int]


class WatchedRules:
    """The last good version of the rules in `path`.

    Raises:
        RulesInvalid: there is none to begin with.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = Lock()
        self._seen = _version(path)
        self._rules = read_rules(path)

    def current(self) -> Rules:
        """The rules as they are now; a version that cannot be used is logged once and refused."""
        with self._lock:
            version = _version(self._path)
            if version != self._seen:
                self._seen = version
                self._read_again()
            return self._rules

    def _read_again(self) -> None:
        try:
            self._rules = read_rules(self._path)
        except RulesInvalid as error:
            LOG.error("%s; the rules that were read before stay in force", error)  # noqa: TRY400  the sentence says it all, a traceback nothing
        else:
            LOG.info("%s was read again: %d rules", self._path, len(self._rules))


def _version(path: Path) -> _Version | None:
    """None if there is no such file."""
    try:
        found = os.stat(path)  # noqa: PTH116  (once per request)
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
