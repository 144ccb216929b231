"""Steps: side by side, each under its own deadline, none behind another's failure."""

import threading

import pytest

from firstlight.check.step import Step, StepState, broken, ok, warning
from firstlight.check.walk import walk


def found(steps):
    """Names and verdicts, in the order they are told."""
    return [(outcome.name, outcome.verdict) for outcome in walk(steps)]


def fails():
    return [broken("no", remedy="none")]


def works():
    return [ok("yes")]


def test_in_their_order():
    """Whichever ends first."""
    second_done = threading.Event()

    def first():
        assert second_done.wait(10)
        yield ok("late")

    def second():
        second_done.set()
        yield ok("early")

    assert found([Step("first", first), Step("second", second)]) == [
        ("first", StepState.OK),
        ("second", StepState.OK),
    ]


def test_what_needs_a_broken_one_is_not_tried():
    """Nor is what needs that; the others are."""
    steps = [
        Step("database", fails),
        Step("cells", works, needs=("database",)),
        Step("instances", works, needs=("cells",)),
        Step("neutron", works),
    ]
    assert found(steps) == [
        ("database", StepState.BROKEN),
        ("cells", StepState.NOT_TRIED),
        ("instances", StepState.NOT_TRIED),
        ("neutron", StepState.OK),
    ]
    *_, instances, _neutron = walk(steps)
    assert instances.findings[0].said == "needs cells"


def test_a_warning_stops_nobody():
    """It works, after all."""
    steps = [
        Step("one", lambda: [warning("odd", remedy="look")]),
        Step("two", works, needs=("one",)),
    ]
    assert found(steps) == [("one", StepState.WARNING), ("two", StepState.OK)]


def test_as_bad_as_the_worst():
    """One broken thing among good ones breaks the step."""
    [outcome] = walk([Step("one", lambda: [*works(), *fails(), *works()])])
    assert outcome.verdict is StepState.BROKEN
    assert len(outcome.findings) == 3


def test_one_that_hangs():
    """It is broken at its deadline, with what it had found; the others do not wait for it."""
    end = threading.Event()

    def hangs():
        yield ok("so far")
        end.wait(60)

    steps = [Step("hangs", hangs, seconds=1.0), Step("other", works)]
    outcomes = list(walk(steps))
    end.set()
    assert [outcome.verdict for outcome in outcomes] == [StepState.BROKEN, StepState.OK]
    assert [one.said for one in outcomes[0].findings] == ["so far", "did not end within 1 s"]


def test_steps_that_turn_up_on_the_way():
    """They come right after the one that found them, which waits for none of them."""

    def cells():
        yield ok("two cells")
        yield Step("cell one", fails)
        yield Step("cell two", works)

    assert found([Step("cells", cells), Step("last", works, needs=("cells",))]) == [
        ("cells", StepState.OK),
        ("cell one", StepState.BROKEN),
        ("cell two", StepState.OK),
        ("last", StepState.OK),
    ]


def test_a_fault_of_ours(caplog):
    """It is logged whole and breaks its own step; its text, which may be a secret, is not shown."""

    def faulty():
        raise ValueError("hunter2")

    [outcome] = walk([Step("one", faulty)])
    assert outcome.verdict is StepState.BROKEN
    assert "hunter2" not in str(outcome)
    assert "hunter2" in caplog.text


def test_a_step_that_needs_what_is_not_there():
    """A road that is put together wrongly is a mistake that no test can miss."""
    with pytest.raises(KeyError):
        list(walk([Step("one", works, needs=("none",))]))
