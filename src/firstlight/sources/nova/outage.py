"""What is known of a database that did not answer, so that not everybody waits for it."""

import threading
from collections.abc import Callable

from firstlight.sources.contract import SourceUnavailable

PAUSE = 1.0  # seconds after a failure in which nobody asks again


class Outage:
    """One database's. While it is away one caller at a time tries it; the others fail at once.

    A database that hangs costs each who asks a whole timeout. Without this, one cell's guests
    would soon hold every thread that the guests of other cells need.

    Args:
        timeout: seconds for which an attempt may last.
        clock: monotonic seconds.
    """

    def __init__(self, timeout: float, clock: Callable[[], float]) -> None:
        self._timeout = timeout
        self._clock = clock
        self._lock = threading.Lock()
        self._reason: str | None = None
        self._closed_until = 0.0

    @property
    def reason(self) -> str | None:
        """Why it did not answer when it was last asked; None: it did, or nobody has asked."""
        return self._reason

    def admit(self) -> None:
        """Let the caller ask.

        Raises:
            SourceUnavailable: it has just failed, or somebody else is trying.
        """
        if self._reason is None:
            return
        with self._lock:
            now = self._clock()
            if self._reason is not None and now < self._closed_until:
                raise SourceUnavailable(self._reason)
            self._closed_until = now + self._timeout

    def failed(self, reason: str) -> None:
        """It did not answer."""
        with self._lock:
            self._reason = reason
            self._closed_until = self._clock() + PAUSE

    def answered(self) -> None:
        """It did."""
        self._reason = None
