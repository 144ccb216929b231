"""One budget of seconds, handed down."""

import time
from collections.abc import Callable


class Deadline:
    """The instant `seconds` from now, by a monotonic clock."""

    __slots__ = ("_end", "_timer", "seconds")

    def __init__(self, seconds: float, timer: Callable[[], float] = time.monotonic) -> None:
        self.seconds = seconds
        self._timer = timer
        self._end = timer() + seconds

    def left(self) -> float:
        """Seconds left, never negative."""
        return max(0.0, self._end - self._timer())

    def spent(self) -> float:
        """Seconds since it was set."""
        return self._timer() - (self._end - self.seconds)

    def __str__(self) -> str:
        return f"{self.seconds:g} s"
