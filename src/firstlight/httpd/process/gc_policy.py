"""Python's search for cycles, kept from stopping the event loop while somebody waits.

Everything that a request makes is let go when the last reference goes; what cannot go that way are
cycles, and the search for them stops every thread: 2 ms for 20,000 objects, a third of a second for
ten thousand cached instances. So only the youngest objects are searched as they come, and all of
them when nobody asks.
"""

import asyncio
import gc
from time import monotonic

from firstlight.httpd.monitoring.counters import Counters

_YOUNG = 500  # objects more than there were: 0.1 ms
_NEVER = 1_000_000_000
# Searches of the young since the last one of all, before another is worth its time.
_WORTH = 200
_AT_LEAST = 3600.0  # seconds; a service that is never quiet pauses once in these


def calm() -> None:
    """Leave what is there now alone for ever, and search only the young unasked."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG, _NEVER, _NEVER)


async def search_when_quiet(
    counters: Counters, *, every: float = 60.0, quiet: float = 0.05
) -> None:
    """Search everything now and then, until cancelled.

    Args:
        counters: show whether anybody asks or waits.
        every: seconds between two searches.
        quiet: seconds in which nobody may ask before one.
    """
    while True:
        await asyncio.sleep(every)
        if gc.get_count()[1] >= _WORTH:
            await _wait_for(quiet, counters)
            gc.collect()


async def _wait_for(quiet: float, counters: Counters) -> None:
    """Wait for so many seconds in which nobody asks or waits, but not for ever."""
    until = monotonic() + _AT_LEAST
    before = None
    while monotonic() < until:
        now = _seen(counters)
        if now == before:
            return
        before = now
        await asyncio.sleep(quiet)


def _seen(counters: Counters) -> object:
    """What changes when somebody asks; never equal to itself while somebody waits."""
    listeners = counters.listeners.values()
    if any(counts.in_flight for counts in listeners):
        return object()
    return [(counts.accepted, sum(counts.statuses.values())) for counts in listeners]
