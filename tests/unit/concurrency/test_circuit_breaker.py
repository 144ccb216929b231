"""A target that fails again and again is left alone."""

from firstlight.concurrency.circuit_breaker import BreakerEffect, CircuitBreaker


class Time:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def opened(failures: int = 2) -> tuple[CircuitBreaker, Time]:
    time = Time()
    breaker = CircuitBreaker(failures, 5.0, time)
    for _ in range(failures):
        assert not breaker.refuses()
        breaker.failed()
    return breaker, time


def test_it_opens_after_failures_in_a_row() -> None:
    """An answer in between starts the count anew."""
    breaker = CircuitBreaker(2, 5.0, Time())
    for _ in range(3):
        breaker.failed()
        breaker.answered()
    assert breaker.state is BreakerEffect.CLOSED
    breaker.failed()
    breaker.failed()
    assert breaker.refuses()
    assert breaker.left() == 5.0


def test_one_question_decides() -> None:
    """When its time has come one question is let through, and only one."""
    breaker, time = opened()
    time.now += 5.0
    assert not breaker.refuses()
    assert breaker.state is BreakerEffect.HALF_OPEN
    assert breaker.refuses()
    breaker.answered()
    assert (breaker.state, breaker.refuses()) == (BreakerEffect.CLOSED, False)


def test_a_failed_probe_opens_it_again() -> None:
    """For as long as the first time."""
    breaker, time = opened()
    time.now += 5.0
    assert not breaker.refuses()
    breaker.failed()
    time.now += 4.9
    assert breaker.refuses()
    time.now += 0.1
    assert not breaker.refuses()


def test_a_probe_that_tells_nothing() -> None:
    """The next question is the probe."""
    breaker, time = opened()
    time.now += 5.0
    assert not breaker.refuses()
    breaker.undecided()
    assert not breaker.refuses()
    assert breaker.state is BreakerEffect.HALF_OPEN


def test_a_late_failure_does_not_prolong_it() -> None:
    """A call that had begun before it opened and fails afterwards is no news."""
    breaker, time = opened()
    time.now += 4.0
    breaker.failed()
    assert breaker.left() == 1.0


def test_it_can_be_switched_off() -> None:
    """With 0 a target is asked for ever."""
    breaker = CircuitBreaker(0, 5.0, Time())
    for _ in range(100):
        breaker.failed()
    assert not breaker.refuses()
