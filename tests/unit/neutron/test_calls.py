"""Errands on threads: bounded in number and in time, with the right one named."""

import threading
from collections.abc import Iterator

import pytest

from firstlight.neutron.calls import NeutronCall, NeutronCalls
from firstlight.sources.ports import NeutronUnavailable


@pytest.fixture
def go() -> Iterator[threading.Event]:
    """Lets errands that wait for it end."""
    event = threading.Event()
    yield event
    event.set()


def test_what_the_errand_returns_or_raises() -> None:
    """A value is a value and a fault the errand's own."""
    calls = NeutronCalls(1, 10.0)
    assert calls.run(lambda call: call.deadline.seconds) == 10.0
    with pytest.raises(ZeroDivisionError):
        calls.run(lambda call: 1 // 0)
    calls.close()


def test_who_was_waited_for(go: threading.Event) -> None:
    """Keystone's slowness is not called Neutron's."""

    def at_keystone(call: NeutronCall) -> bool:
        with call.asking("Keystone"):
            return go.wait(10)

    calls = NeutronCalls(2, 0.2)
    with pytest.raises(NeutronUnavailable, match=r"^Neutron did not answer within 0\.2 s$"):
        calls.run(lambda call: go.wait(10))
    with pytest.raises(NeutronUnavailable, match=r"be asked: Keystone did not answer within 0\.2"):
        calls.run(at_keystone)
    calls.close()


def test_no_thread_in_time(go: threading.Event) -> None:
    """A question for which no thread was free was not asked, and says so."""
    calls, asked = NeutronCalls(1, 0.2), []
    with pytest.raises(NeutronUnavailable, match="did not answer"):
        calls.run(lambda call: go.wait(10))
    with pytest.raises(NeutronUnavailable, match=r"was not asked within .*: too many questions"):
        calls.run(asked.append)
    go.set()
    calls.run(lambda call: None)
    assert asked == []
    calls.close()
