"""A server that does not answer is left alone for a while, so that not everybody waits for it."""

from collections.abc import Callable
from threading import Lock

_FIRST = 1.0  # seconds


class ServerBreaker:
    """Whether to ask. Safe to use from many threads.

    Args:
        longest: seconds; the pause doubles with each failure up to it.
        clock: monotonic seconds.
    """

    def __init__(self, *, longest: float, clock: Callable[[], float]) -> None:
        self._longest = longest
        self._clock = clock
        self._lock = Lock()
        self._pause = 0.0
        self._until = 0.0  # nobody asks before
        self.trouble: str | None = None  # why the last question failed

    def allows(self) -> bool:
        """Whether to ask now. After a pause one is allowed; the others wait for how that goes."""
        now = self._clock()
        with self._lock:
            if now < self._until:
                return False
            if self.trouble is not None:
                self._until = now + self._pause
            return True

    def worked(self) -> None:
        """A question was answered."""
        with self._lock:
            self._pause = self._until = 0.0
            self.trouble = None

    def failed(self, trouble: str) -> None:
        """A question was not."""
        with self._lock:
            self._pause = min(max(2 * self._pause, _FIRST), self._longest)
            self._until = self._clock() + self._pause
            self.trouble = trouble
