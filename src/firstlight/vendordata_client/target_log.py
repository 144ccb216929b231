"""What the log says about one target."""

import logging
from collections.abc import Callable

from firstlight.instance import Answer, State
from firstlight.log_throttle import ThrottledLog
from firstlight.targets.breaker import Breaking
from firstlight.targets.targets import Target

LOG = logging.getLogger(__name__)


class Telling:
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

    def breaker(self, before: Breaking, after: Breaking, failures: int, seconds: float) -> None:
        """It is left alone from now on, or not any more; a probe that failed is no news."""
        if after is Breaking.CLOSED:
            LOG.info("vendordata target %s (%s) answers again", *self._who)
        elif before is Breaking.CLOSED:
            LOG.warning(
                "vendordata target %s (%s) failed %d times in a row: one question every %g s is "
                "let through until it answers",
                *self._who,
                failures,
                seconds,
            )
