"""A database that is away costs one caller at a time."""

import pytest

from firstlight.sources import SourceUnavailable
from firstlight.sources.nova.outage import PAUSE, Outage


class Clock:
    """Stands until it is moved."""

    def __init__(self) -> None:
        self.time = 1000.0

    def __call__(self) -> float:
        return self.time


@pytest.fixture
def clock() -> Clock:
    """A clock that stands."""
    return Clock()


@pytest.fixture
def outage(clock: Clock) -> Outage:
    """Nothing has failed yet."""
    return Outage(5.0, clock)


def test_everybody_may_ask_at_first(outage):
    """Nothing is known against it."""
    outage.admit()
    outage.admit()
    assert outage.reason is None


def test_after_a_failure_nobody_asks_for_a_moment(outage):
    """They are told why at once."""
    outage.failed("no route")
    with pytest.raises(SourceUnavailable, match="no route"):
        outage.admit()


def test_one_tries_again(outage, clock):
    """After the pause one caller is let through, and while it tries nobody else."""
    outage.failed("no route")
    clock.time += PAUSE
    outage.admit()
    with pytest.raises(SourceUnavailable):
        outage.admit()


def test_when_it_answers_everybody_may_ask(outage, clock):
    """Nothing needs a restart."""
    outage.failed("no route")
    clock.time += PAUSE
    outage.admit()
    outage.answered()
    outage.admit()
    assert outage.reason is None


def test_who_tried_and_never_came_back(outage, clock):
    """After a whole timeout the next may try."""
    outage.failed("no route")
    clock.time += PAUSE
    outage.admit()
    clock.time += 5.0
    outage.admit()


def test_a_failure_counts_until_it_answers(outage, clock):
    """However long nobody asks: /readyz must not forget what nobody has mended."""
    outage.failed("no route")
    clock.time += 3600
    assert outage.reason == "no route"
