"""What strangers cause is written some times in a minute, and what is left out is counted."""

import logging

import pytest

from firstlight.concurrency.throttle import LogThrottle, ThrottledLog, throttle

LOG = logging.getLogger("firstlight.throttled")


class Clock:
    """Seconds that a test sets."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    """At nought."""
    return Clock()


def said(caplog: pytest.LogCaptureFixture) -> list[str]:
    """The messages so far."""
    return [record.getMessage() for record in caplog.records]


def test_once_for_each_kind(clock: Clock) -> None:
    """In so many seconds, however many kinds there are."""
    throttled = LogThrottle(most=1, seconds=10.0, clock=clock)
    assert [throttled.take(kind) for kind in "aba"] == [0, 0, None]
    clock.now = 10.0
    assert throttled.take("a") == 1
    assert [throttled.take(number) for number in range(10_000)] == [0] * 10_000
    assert throttled.remembered <= 4096


def test_a_kind_that_is_written_again_is_kept(clock: Clock) -> None:
    """The one that is longest without a line is forgotten."""
    throttled = LogThrottle(most=1, seconds=10.0, clock=clock)
    assert [throttled.take(number) for number in range(4096)] == [0] * 4096
    clock.now = 10.0
    assert throttled.take(0) == 0
    assert throttled.take("new") == 0  # in the place of 1
    assert throttled.take(0) is None


def test_what_is_left_out_is_counted(caplog: pytest.LogCaptureFixture, clock: Clock) -> None:
    """With the first line that is written again; another kind is not touched."""
    log = ThrottledLog(LOG, LogThrottle(most=2, seconds=60, clock=clock))
    for number in range(5):
        log.warning("guest %d", number)
    log.warning("guest %d", 7, of="another")
    clock.now = 60.0
    log.warning("guest %d", 9)
    assert said(caplog) == ["guest 0", "guest 1", "guest 7", "guest 9; 3 like it were left out"]
    assert {record.funcName for record in caplog.records} == {"test_what_is_left_out_is_counted"}


def test_of_each_and_of_all(caplog: pytest.LogCaptureFixture, clock: Clock) -> None:
    """A guest's own lines are few, and so are those of many guests."""
    each, in_all = LogThrottle(most=1, clock=clock), LogThrottle(most=3, clock=clock)
    log = ThrottledLog(LOG, each, in_all)
    for number in range(5):
        for _ in range(2):
            log.warning("guest %d", number, of=number)
    assert said(caplog) == ["guest 0", "guest 1", "guest 2"]
    clock.now = 60.0
    log.warning("guest %d", 0, of=0)
    assert said(caplog)[-1] == "guest 0; 3 like it were left out"  # one of its own, two of others


def test_a_library(caplog: pytest.LogCaptureFixture, clock: Clock) -> None:
    """Its warnings are bounded and counted as well, once however often that is asked for."""
    for _ in range(3):
        throttle("a.library", LogThrottle(clock=clock))
    log = logging.getLogger("a.library")
    assert len(log.filters) == 1
    for number in range(100):
        log.warning("no good token: %d", number)
    assert len(caplog.records) == 10
    log.warning("another: %s", "100 %d")
    clock.now = 60.0
    log.warning("no good token: %d", 100)
    log.warning("no good token: %d", 101)
    assert said(caplog)[-3:] == [
        "another: 100 %d",
        "no good token: 100; 90 like it were left out",
        "no good token: 101",
    ]
