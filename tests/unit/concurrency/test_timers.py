"""One thread calls what is due."""

import queue
import threading

import pytest

from firstlight.vendordata_client import Timers


def test_in_the_order_of_their_times() -> None:
    """Whatever was set first."""
    alarm, called = Timers(), queue.Queue()
    alarm.after(0.2, lambda: called.put("second"))
    alarm.after(0.0, lambda: called.put("first"))
    assert [called.get(timeout=20), called.get(timeout=20)] == ["first", "second"]
    alarm.close()


def test_taken_back() -> None:
    """What was taken back is not called; taking back what has been called does nothing."""
    alarm, called = Timers(), queue.Queue()
    take_back = alarm.after(0.1, lambda: called.put("never"))
    take_back()
    done = alarm.after(0.2, lambda: called.put("done"))
    assert called.get(timeout=20) == "done"
    done()
    alarm.close()
    assert called.empty()


def test_a_thread_that_could_not_be_started_is_started_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A machine that is out of threads for a moment does not stop all timers for ever."""
    alarm, called = Timers(), threading.Event()
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", no_more)
        with pytest.raises(RuntimeError):
            alarm.after(0.0, lambda: None)
    alarm.after(0.0, called.set)
    assert called.wait(20)
    alarm.close()


def no_more(_thread: threading.Thread) -> None:
    raise RuntimeError("can't start new thread")


def test_a_call_that_fails(caplog: pytest.LogCaptureFixture) -> None:
    """It is logged, and the others are called."""
    alarm, called = Timers(), threading.Event()
    alarm.after(0.0, lambda: 1 // 0)
    alarm.after(0.0, called.set)
    assert called.wait(20)
    alarm.close()
    assert "ZeroDivisionError" in caplog.text


def test_closed() -> None:
    """Nothing is called afterwards, and no thread is left; one that sets no timer has none."""
    before = threading.active_count()
    alarm = Timers()
    assert threading.active_count() == before
    alarm.after(3600, lambda: None)
    assert threading.active_count() == before + 1
    alarm.close()
    assert threading.active_count() == before
    alarm.after(0.0, lambda: pytest.fail("called after the end"))
    assert threading.active_count() == before
