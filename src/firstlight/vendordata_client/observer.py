"""Who wants to know what becomes of questions: metrics."""

from enum import StrEnum
from typing import Protocol

from firstlight.concurrency.circuit_breaker import BreakerEffect
from firstlight.instance import Answer
from firstlight.vendordata_client.calls.failure import Kind


class ServedFrom(StrEnum):
    """Where an answer came from."""

    KEPT = "kept"  # it was known
    ASKED = "asked"  # the target was asked for it
    JOINED = "joined"  # another question of the same kind was under way
    STALE = "stale"  # it was known, and should be newer
    NOTHING = "nothing"  # not asked, and nothing known


class TargetObserver(Protocol):
    """Is told on any thread, sometimes under a lock: it must be quick."""

    def called(self, target: str, answer: Answer, kind: Kind | None, seconds: float) -> None:
        """The target was called, or was to be; `kind` is what went wrong."""

    def served(self, target: str, how: ServedFrom) -> None:
        """Somebody was answered."""

    def breaker(self, target: str, state: BreakerEffect) -> None:
        """The target's breaker has changed."""


class NoObserver:
    """An observer that does not care."""

    def called(self, target: str, answer: Answer, kind: Kind | None, seconds: float) -> None:
        """Nothing."""

    def served(self, target: str, how: ServedFrom) -> None:
        """Nothing."""

    def breaker(self, target: str, state: BreakerEffect) -> None:
        """Nothing."""
