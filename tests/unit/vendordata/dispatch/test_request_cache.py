"""Look-ups that the providers of one request share."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from firstlight.vendordata.dispatch.request_cache import RequestCache

_ASKERS = 8


def test_one_look_up_for_all() -> None:
    """Threads that ask at once get what the first one found, and it looked once."""
    shared, calls, together = RequestCache(), [], threading.Barrier(_ASKERS)

    def look_up() -> list[str]:
        calls.append(threading.get_ident())
        return ["found"]

    def ask() -> list[str]:
        together.wait()
        return shared.once("server", look_up)

    with ThreadPoolExecutor(_ASKERS) as askers:
        found = [future.result() for future in [askers.submit(ask) for _ in range(_ASKERS)]]
    assert len(calls) == 1
    assert all(one is found[0] for one in found)


def test_a_failure_is_everybodys() -> None:
    """Whoever asks for the same gets the same error; it is not tried again in this request."""
    shared, calls = RequestCache(), []

    def look_up() -> None:
        calls.append(1)
        raise OSError("away")

    for _ in range(2):
        with pytest.raises(OSError, match="away"):
            shared.once("server", look_up)
    assert calls == [1]


def test_keys_are_apart() -> None:
    """A look-up may make others."""
    shared = RequestCache()
    assert shared.once("a", lambda: shared.once("b", lambda: 1) + 1) == 2
    assert set(shared.seconds) == {"a", "b"}


def test_time_that_is_left() -> None:
    """No more than the call may take, nor than the request has, and never less than nothing."""
    now = 100.0
    shared = RequestCache(104.5, clock=lambda: now)
    assert shared.left(2) == 2
    assert shared.left(10) == 4.5
    now = 105.0
    assert shared.left(10) == 0
    assert RequestCache().left(10) == 10
