"""Whether the broker is there, as oslo.messaging's driver says it: in its log, and nowhere else.

The driver reconnects for ever and tells only its log, in a line for each attempt. Here those lines
become one trouble, which is said once.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_DRIVER = "oslo.messaging._drivers.impl_rabbit"  # oslo.log's name for oslo_messaging
_AWAY = (
    "is unreachable",
    "Connection failed",
    "closed the connection",
    "Failed to consume message",
    "Failed to declare consumer",
    "Unable to connect",
)
_BACK = "Reconnected to"


class _Watcher(logging.Filter):
    def __init__(self, told: Callable[[str | None], None]) -> None:
        super().__init__()
        self._told = told

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the line is still for the log."""
        line = record.getMessage()
        if any(words in line for words in _AWAY):
            self._told(_reason(line))
        elif _BACK in line:
            self._told(None)
        else:
            return True
        return False


def _reason(line: str) -> str:
    """Without the connection's id, which nobody knows, and when the next attempt is."""
    found = line.partition("] ")[2] if line.startswith("[") else line
    for more in (" (retrying in", " Trying again in"):
        found = found.partition(more)[0]
    return " ".join(found.split())


@contextmanager
def watched(told: Callable[[str | None], None]) -> Iterator[None]:
    """While the block runs, `told` is told why the broker cannot be asked, and None when it can."""
    watcher = _Watcher(told)
    logger = logging.getLogger(_DRIVER)
    level = logger.level
    if not logger.isEnabledFor(logging.INFO):  # the line that it is back is of that level
        logger.setLevel(logging.INFO)
    logger.addFilter(watcher)
    try:
        yield
    finally:
        logger.removeFilter(watcher)
        logger.setLevel(level)
