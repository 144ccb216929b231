"""A server that does not answer is left alone, longer each time, and asked again by one."""

import pytest

from firstlight.shared_cache.breaker import ServerBreaker


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def breaker(clock: Clock) -> ServerBreaker:
    return ServerBreaker(longest=5.0, clock=clock)


def test_after_a_failure_nobody_asks_for_a_second(breaker, clock):
    """Only when the pause is over, one may."""
    assert breaker.allows()
    breaker.failed("away")
    clock.now += 0.9
    assert not breaker.allows()
    clock.now += 0.1
    assert breaker.allows()
    assert not breaker.allows(), "the others wait for how that goes"


def test_the_pause_doubles_up_to_the_longest(breaker, clock):
    """One, two, four, five, five seconds."""
    for seconds in (1, 2, 4, 5, 5):
        breaker.failed("away")
        clock.now += seconds - 0.01
        assert not breaker.allows()
        clock.now += 0.01
        assert breaker.allows()


def test_an_answer_ends_it(breaker, clock):
    """Everybody may ask again, and the next failure is the first again."""
    breaker.failed("away")
    breaker.failed("away")
    breaker.worked()
    assert breaker.trouble is None
    assert breaker.allows() and breaker.allows()
    breaker.failed("away")
    clock.now += 1
    assert breaker.allows()
