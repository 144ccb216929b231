"""What the log says about one target."""

import logging
from collections.abc import Callable

from firstlight.concurrency.circuit_breaker import BreakerEffect
from firstlight.concurrency.throttle import ThrottledLog
from firstlight.instance import Answer, State
from firstlight.vendordata_client.targets import Target

LOG = logging.getLogger(__name__)


class TargetLog:
    """Names the target in every line, without what is secret in its URL."""

    def __init__(self, target: Target, clock: Callable[[], float]) -> None:
        self._who = target.name, target.shown
        self._clock = clock
        self._guests = ThrottledLog(LOG)  # each of them may ask again and again

    def failed(self, uuid: str, answer: Answer, level: int = logging.WARNING) -> None:
        """There is no new answer for this instance; `answer` is what it gets."""
        instead = ""
        if answer.state is State.STALE:
            age = self._clock() - answer.fetched
            instead = f"; what it said {age:.0f} s ago is served"
        say = self._guests.warning if level == logging.WARNING else self._guests.info
        say(
            "vendordata target %s (%s) failed for instance %s: %s%s",
            *self._who,
            uuid,
            answer.reason,
            instead,
        )

    def breaker(
        self, before: BreakerEffect, after: BreakerEffect, failures: int, seconds: float
    ) -> None:
        """It is left alone from now on, or not any more; a probe that failed is no news."""
        if after is BreakerEffect.CLOSED:
            LOG.info("vendordata target %s (%s) answers again", *self._who)
        elif before is BreakerEffect.CLOSED:
            LOG.warning(
                "vendordata target %s (%s) failed %d times in a row: one question every %g s is "
                "let through until it answers",
                *self._who,
                failures,
                seconds,
            )
