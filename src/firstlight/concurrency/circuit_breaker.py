"""A target that fails again and again is left alone for a while."""

from collections.abc import Callable
from enum import StrEnum


class BreakerEffect(StrEnum):
    """What a breaker does with a question."""

    CLOSED = "closed"  # lets it through
    OPEN = "open"  # refuses it
    HALF_OPEN = "half-open"  # has let one through, whose answer decides


class CircuitBreaker:
    """Not safe for several threads at once: its owner has a lock.

    Args:
        failures: in a row, after which it opens; 0: it never does.
        seconds: for which it then refuses.
        timer: monotonic seconds.
    """

    def __init__(self, failures: int, seconds: float, timer: Callable[[], float]) -> None:
        self._limit = failures
        self._seconds = seconds
        self._timer = timer
        self._until = 0.0
        self.failures = 0  # in a row
        self.state = BreakerEffect.CLOSED

    def refuses(self) -> bool:
        """Whether a question may not be asked now. One that may must be reported on."""
        if self.state is BreakerEffect.OPEN and self._timer() >= self._until:
            self.state = BreakerEffect.HALF_OPEN
            return False
        return self.state is not BreakerEffect.CLOSED

    def left(self) -> float:
        """Seconds until a question is let through, if it refuses."""
        return max(0.0, self._until - self._timer())

    def answered(self) -> None:
        """The target has answered."""
        self.failures = 0
        self.state = BreakerEffect.CLOSED

    def failed(self) -> None:
        """It has not, and it is to blame."""
        self.failures += 1
        if self.state is BreakerEffect.HALF_OPEN or (
            self.state is BreakerEffect.CLOSED and 0 < self._limit <= self.failures
        ):
            self._open()

    def undecided(self) -> None:
        """The question came back without telling anything about the target."""
        if self.state is BreakerEffect.HALF_OPEN:
            self.state = (
                BreakerEffect.OPEN
            )  # the next one may try at once: its time has come already

    def _open(self) -> None:
        self.state = BreakerEffect.OPEN
        self._until = self._timer() + self._seconds
