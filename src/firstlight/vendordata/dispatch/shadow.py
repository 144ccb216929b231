"""Providers in shadow: asked and logged, but nobody waits for them, and nobody is told."""

import logging
from collections.abc import Callable
from concurrent.futures import Future
from threading import BoundedSemaphore

from firstlight.instance.answer import State
from firstlight.vendordata.contract import Context
from firstlight.vendordata.dispatch.outcome import Outcome

LOG = logging.getLogger(__name__)

SAID = "It runs in shadow: what it says is logged, not answered."


class Shadow:
    """Up to `most` questions to one provider under way; `start` begins one."""

    def __init__(self, name: str, most: int, counted: Callable[[Outcome], None]) -> None:
        self._name = name
        self._counted = counted
        self._free = BoundedSemaphore(most)

    def ask(
        self, start: Callable[[], Future[Outcome]], context: Context, *, request: str
    ) -> Outcome:
        """Begin, unless too many are under way; what is answered meanwhile."""
        if self._free.acquire(blocking=False):
            start().add_done_callback(lambda future: self._end(future, context, request))
        else:
            LOG.info("[%s] shadow %s: busy, not asked", request, self._name)
        return Outcome(provider=self._name, state=State.EMPTY, reason=SAID, shadow=True)

    def _end(self, future: Future[Outcome], context: Context, request: str) -> None:
        self._free.release()
        if not future.cancelled():
            outcome = future.result()
            self._counted(outcome)
            LOG.info(
                "[%s] instance %s: shadow %s: %s in %.3f s%s",
                request,
                context.instance_id,
                self._name,
                outcome.state.value,
                outcome.seconds,
                _told(outcome),
            )


def _told(outcome: Outcome) -> str:
    """Why not, or the keys: the values may be anybody's."""
    if outcome.reason:
        return f": {outcome.reason}"
    return f", keys {', '.join(sorted(outcome.value))}" if outcome.value else ""
