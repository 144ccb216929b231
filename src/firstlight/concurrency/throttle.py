"""Log lines that strangers cause, but not as often as they can cause them."""

import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock

_MOST = 10  # lines of one kind in _SECONDS
_SECONDS = 60.0
_KINDS = 4096  # that are remembered
_LEFT_OUT = "; %d like it were left out"


class LogThrottle:
    """How many lines of each kind may be written; safe to use from many threads.

    Kinds may be what strangers send: of many, the one that is longest without a new line is
    forgotten, and is then let through early.

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
        self._kinds: OrderedDict[Hashable, _Kind] = OrderedDict()

    def take(self, kind: Hashable) -> int | None:
        """How many lines of this kind were left out since the last; None: leave this one out."""
        now = self._clock()
        with self._lock:
            known = self._kinds.get(kind)
            if known is None:
                known = self._remember(kind, now)
            if now >= known.since + self._seconds:
                known.since, known.written = now, 0
            if known.written >= self._most:
                known.left_out += 1
                return None
            known.written += 1
            self._kinds.move_to_end(kind)
            left_out, known.left_out = known.left_out, 0
            return left_out

    @property
    def remembered(self) -> int:
        """How many kinds are remembered."""
        return len(self._kinds)

    def _remember(self, kind: Hashable, now: float) -> "_Kind":
        new = self._kinds[kind] = _Kind(now)
        if len(self._kinds) > _KINDS:
            self._kinds.popitem(last=False)
        return new


class _Kind:
    """`written` lines since `since`; `left_out` ones since the last that was written."""

    __slots__ = ("left_out", "since", "written")

    def __init__(self, since: float) -> None:
        self.since = since
        self.written = self.left_out = 0


class ThrottledLog:
    """A logger for what strangers cause: some lines of each fixed text; the rest are counted.

    A call's `of` sets apart what must not be hidden by its like: the name of a provider or target,
    or the guest that the line is about.

    Args:
        log: where lines go.
        throttle: how many of each text and `of`.
        in_all: how many of each text, whatever `of` is; None: `throttle` is the only bound.
    """

    def __init__(
        self,
        log: logging.Logger,
        throttle: LogThrottle | None = None,
        in_all: LogThrottle | None = None,
    ) -> None:
        self._log = log
        self._throttle = throttle or LogThrottle()
        self._in_all = in_all

    def info(self, text: str, *args: object, of: Hashable = "") -> None:
        """A line for operators who look for it."""
        self._write(logging.INFO, text, args, of)

    def warning(self, text: str, *args: object, of: Hashable = "") -> None:
        """A line that something may have to be done about."""
        self._write(logging.WARNING, text, args, of)

    def error(
        self, text: str, *args: object, of: Hashable = "", exc_info: BaseException | None = None
    ) -> None:
        """A failure; with the traceback of `exc_info` if there is one."""
        self._write(logging.ERROR, text, args, of, exc_info)

    def _write(
        self,
        level: int,
        text: str,
        args: tuple[object, ...],
        of: Hashable,
        exc_info: BaseException | None = None,
    ) -> None:
        if not self._log.isEnabledFor(level):
            return
        left_out = self._take(text, of)
        if left_out is None:
            return
        if left_out:
            text, args = text + _LEFT_OUT, (*args, left_out)
        self._log.log(level, text, *args, exc_info=exc_info, stacklevel=3)

    def _take(self, text: str, of: Hashable) -> int | None:
        left_out = self._throttle.take((text, of))
        if left_out is None or self._in_all is None:
            return left_out
        more = self._in_all.take(text)
        return None if more is None else left_out + more


class Throttling(logging.Filter):
    """For a library's logger whose warnings strangers cause; see :func:`throttle`.

    Args:
        throttle: how many are written of each fixed text.
    """

    def __init__(self, throttle: LogThrottle) -> None:
        super().__init__()
        self._throttle = throttle

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the line is written; the first after some that were not says how many."""
        if record.levelno < logging.WARNING:
            return True
        left_out = self._throttle.take(record.msg)
        if left_out:
            record.msg, record.args = "%s" + _LEFT_OUT, (record.getMessage(), left_out)
        return left_out is not None


def throttle(name: str, limit: LogThrottle | None = None) -> None:
    """Throttle the warnings and errors of the logger `name`, by their fixed texts."""
    log = logging.getLogger(name)
    if not any(isinstance(one, Throttling) for one in log.filters):
        log.addFilter(Throttling(limit or LogThrottle()))
