"""Log lines that strangers cause, but not as often as they can cause them."""

import logging
import time
from collections.abc import Callable, Hashable
from threading import Lock

_MOST = 10  # lines of one kind in _SECONDS
_SECONDS = 60.0


class Allowance:
    """How many lines of each kind may be written; safe to use from many threads.

    Args:
        most: lines of one kind in `seconds`.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        *,
        most: int = _MOST,
        seconds: float = _SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._most = most
        self._seconds = seconds
        self._clock = clock
        self._lock = Lock()
        self._kinds: dict[Hashable, _Kind] = {}

    def take(self, kind: Hashable) -> int | None:
        """How many lines of this kind were left out since the last; None: leave this one out.

        Kinds are remembered for good: fixed texts and names that operators give, not what
        strangers send.
        """
        now = self._clock()
        with self._lock:
            known = self._kinds.get(kind)
            if known is None:
                known = self._kinds[kind] = _Kind(now)
            if now >= known.since + self._seconds:
                known.since, known.written = now, 0
            if known.written >= self._most:
                known.left_out += 1
                return None
            known.written += 1
            left_out, known.left_out = known.left_out, 0
            return left_out


class _Kind:
    """`written` lines since `since`; `left_out` ones since the last that was written."""

    __slots__ = ("left_out", "since", "written")

    def __init__(self, since: float) -> None:
        self.since = since
        self.written = self.left_out = 0


class ThrottledLog:
    """A logger for what strangers cause: some lines of each fixed text; the rest are counted.

    A call's `of` sets apart what must not be hidden by its like: a provider's or a target's name.

    Args:
        log: where lines go.
        allowance: how many.
    """

    def __init__(self, log: logging.Logger, allowance: Allowance | None = None) -> None:
        self._log = log
        self._allowance = allowance or Allowance()

    def info(self, text: str, *args: object, of: str = "") -> None:
        """A line for operators who look for it."""
        self._write(logging.INFO, text, args, of)

    def warning(self, text: str, *args: object, of: str = "") -> None:
        """A line that something may have to be done about."""
        self._write(logging.WARNING, text, args, of)

    def error(
        self, text: str, *args: object, of: str = "", exc_info: BaseException | None = None
    ) -> None:
        """A failure; with the traceback of `exc_info` if there is one."""
        self._write(logging.ERROR, text, args, of, exc_info)

    def _write(
        self,
        level: int,
        text: str,
        args: tuple[object, ...],
        of: str,
        exc_info: BaseException | None = None,
    ) -> None:
        if not self._log.isEnabledFor(level):
            return
        left_out = self._allowance.take((text, of))
        if left_out is None:
            return
        if left_out:
            text, args = f"{text}; %d like it were left out", (*args, left_out)
        self._log.log(level, text, *args, exc_info=exc_info, stacklevel=3)


class Throttling(logging.Filter):
    """For a library's logger whose warnings strangers cause; see :func:`throttle`."""

    def __init__(self) -> None:
        super().__init__()
        self._allowance = Allowance()

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the line is written."""
        return record.levelno < logging.WARNING or self._allowance.take(record.msg) is not None


def throttle(name: str) -> None:
    """Throttle the warnings and errors of the logger `name`, by their fixed texts."""
    log = logging.getLogger(name)
    if not any(isinstance(one, Throttling) for one in log.filters):
        log.addFilter(Throttling())
