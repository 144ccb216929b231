"""How long there is patience, and how it is spent."""

import random
import time
from typing import Callable, Iterator

_FIRST, _LONGEST = 0.5, 8.0  # seconds between two tries


class Deadline:
    """A moment that work must not pass.

    Args:
        seconds: from now.
        monotonic, sleep: the clock.
    """

    def __init__(
        self,
        seconds: float,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._monotonic = monotonic
        self._sleep = sleep
        self._end = monotonic() + seconds

    def left(self) -> float:
        """Seconds; never less than 0."""
        return max(0.0, self._end - self._monotonic())

    def pause(self, seconds: float) -> bool:
        """Sleep, at most until the deadline; False if there is no time left to try again."""
        self._sleep(min(seconds, self.left()))
        return self.left() > 0

    def until(self, condition: Callable[[], bool], every: float = 0.05) -> bool:
        """Whether `condition` became true in time; it is asked at least once."""
        while not condition():
            if not self.pause(every):
                return condition()
        return True


def pauses() -> Iterator[float]:
    """Longer and longer, never in step with other guests that were started at the same moment."""
    pause = _FIRST
    while True:
        yield pause * random.uniform(0.5, 1.0)  # noqa: S311  no secret
        pause = min(pause * 2, _LONGEST)
