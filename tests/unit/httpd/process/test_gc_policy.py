"""Cycles are found, and not while somebody waits."""

import asyncio
import gc
import weakref

import pytest

from firstlight.httpd.monitoring.counters import Counters
from firstlight.httpd.process import gc_policy


class Thing:
    """Something that can be in a cycle."""

    itself: object


@pytest.fixture
def cycle():
    """A weak reference to a cycle that has outlived the search of the young."""
    before = gc.get_threshold()
    gc_policy.calm()
    thing = Thing()
    thing.itself = thing
    for _ in range(300):
        gc.collect(0)
    reference = weakref.ref(thing)
    del thing
    yield reference
    gc.set_threshold(*before)
    gc.unfreeze()


async def search(counters, seconds):
    """Search for so long."""
    searching = asyncio.create_task(gc_policy.search_when_quiet(counters, every=0.001, quiet=0.001))
    await asyncio.sleep(seconds)
    searching.cancel()


def test_found_when_nobody_asks(cycle):
    """What the searches of the young left is let go."""
    counters = Counters()
    counters.of("guests")
    asyncio.run(search(counters, 0.5))
    assert cycle() is None


def test_not_while_somebody_waits(cycle):
    """A request that is being looked up is not held up."""
    counters = Counters()
    counters.of("guests").in_flight = 1
    asyncio.run(search(counters, 0.1))
    assert cycle() is not None
