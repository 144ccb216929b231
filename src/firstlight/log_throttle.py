"""Log lines that strangers cause, but not as often as they can cause them."""

import logging
import time
from collections.abc import Callable
from threading import Lock


class ThrottledLog:
    """At most `most` lines of each text in `seconds`; safe to use from many threads.

    What is left out is counted, and said with the next line of that text that is written. Texts
    are the fixed ones of the calls: their number is that of the places that log.

    Args:
        log: where lines go.
        most: lines of one text.
        seconds: the time in which so many are written.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        log: logging.Logger,
        *,
        most: int = 10,
        seconds: float = 60.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._log = log
        self._most = most
        self._seconds = seconds
        self._clock = clock
        self._lock = Lock()
        self._texts: dict[str, _Text] = {}

    def info(self, text: str, *args: object) -> None:
        """A line for operators who look for it."""
        self._write(logging.INFO, text, args)

    def warning(self, text: str, *args: object) -> None:
        """A line that something may have to be done about."""
        self._write(logging.WARNING, text, args)

    def error(self, text: str, *args: object, exc_info: BaseException | None = None) -> None:
        """A failure; with the traceback of `exc_info` if there is one."""
        self._write(logging.ERROR, text, args, exc_info)

    def _write(
        self,
        level: int,
        text: str,
        args: tuple[object, ...],
        exc_info: BaseException | None = None,
    ) -> None:
        if not self._log.isEnabledFor(level):
            return
        left_out = self._admitted(text)
        if left_out is None:
            return
        if left_out:
            text, args = f"{text}; %d like it were left out", (*args, left_out)
        self._log.log(level, text, *args, exc_info=exc_info, stacklevel=3)

    def _admitted(self, text: str) -> int | None:
        """How many were left out before this one; None: this one is left out as well."""
        now = self._clock()
        with self._lock:
            known = self._texts.get(text)
            if known is None:
                known = self._texts[text] = _Text(now)
            if now >= known.since + self._seconds:
                known.since, known.written = now, 0
            if known.written >= self._most:
                known.left_out += 1
                return None
            known.written += 1
            left_out, known.left_out = known.left_out, 0
            return left_out


class _Text:
    """One text: `written` lines since `since`, and `left_out` of them."""

    __slots__ = ("left_out", "since", "written")

    def __init__(self, since: float) -> None:
        self.since = since
        self.written = self.left_out = 0
