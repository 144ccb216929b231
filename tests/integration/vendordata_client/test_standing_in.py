"""What was known stands in for a failure, and for an answer that is under way."""

import threading
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest

from firstlight.instance import Instance, State
from firstlight.vendordata_client.cache import freshness_policy
from integration.vendordata_client.keeping import PATIENCE, Counting, Time
from support.servers.databases import eventually


@pytest.mark.parametrize(
    ("options", "headers", "wait", "expected"),
    [
        ("", {}, 15 + 3599, State.STALE),  # [firstlight] stale_limit is 3600
        ("", {}, 15 + 3601, State.FAILED),
        ("stale_if_error = 0", {}, 16, State.FAILED),
        ("stale_if_error = 60", {}, 16, State.STALE),
        ("", {"Cache_Control": "max-age=1, stale-if-error=5"}, 5, State.STALE),
        ("", {"Cache_Control": "max-age=1, stale-if-error=5"}, 7, State.FAILED),
        ("", {"Cache_Control": "max-age=1, must-revalidate"}, 2, State.FAILED),
        ("", {"Cache_Control": "no-cache", "ETag": '"a"'}, 0, State.FAILED),
        ("ttl = 0", {}, 0, State.FAILED),
    ],
)
def test_what_stands_in_for_a_failure(
    target: Any,
    instance: Instance,
    time: Time,
    *,
    options: str,
    headers: Any,
    wait: float,
    expected: State,
) -> None:
    """What was known, for a bounded time, unless the target or the operator forbids it."""
    service, data = target(options, **headers)
    first = data.ask(instance)["t"]
    service.script = lambda h: h.say(503)
    time.now += wait
    answer = data.ask(instance)["t"]
    assert answer.state is expected
    assert answer.reason == "answered 503"
    if expected is State.STALE:
        assert (answer.value, answer.fetched) == ("said", first.fetched)


def test_stale_while_it_is_asked_again(
    target: Any, instance: Instance, time: Time, served: Counting
) -> None:
    """Within its bound nobody waits, one question goes out, and its answer is the next one's."""
    service, data = target("stale_while_revalidate = 60")
    data.ask(instance)
    go_on = threading.Event()

    def slowly(handler: Any) -> None:
        assert go_on.wait(PATIENCE)
        handler.say(200, b'"new"')

    service.script = slowly
    time.now += 20
    stale = [data.ask(instance)["t"] for _ in range(3)]
    assert {(one.value, one.state) for one in stale} == {("said", State.STALE)}
    assert not go_on.is_set()
    go_on.set()
    assert eventually(lambda: data.ask(instance)["t"].value == "new", PATIENCE)
    assert len(service.seen) == 2
    assert served.how[1:4] == ["stale"] * 3


def test_asked_ahead(target: Any, instance: Instance) -> None:
    """Whoever asks afterwards finds the answer, or the question under way."""
    service, data = target()
    assert isinstance(data.begin(instance, ahead=True), Future)
    assert data.ask(instance)["t"].value == "said"
    assert isinstance(data.begin(instance), dict)
    assert len(service.seen) == 1


@pytest.mark.parametrize(
    ("options", "headers"),
    [
        ("ttl = 0", {}),
        ("max_ttl = 0", {"Cache_Control": "max-age=9"}),
        ("", {"Cache_Control": "no-store"}),
        ("", {"Cache_Control": "no-cache"}),
    ],
)
def test_asked_ahead_and_handed_over_once(
    target: Any, instance: Instance, time: Time, options: str, headers: Any
) -> None:
    """What may not be kept waits for the one it was asked for, ten seconds, and is not asked for
    twice; the next one asks."""
    service, data = target(options, **headers)
    ahead = data.begin(instance, ahead=True)
    assert isinstance(ahead, Future)
    ahead.result(PATIENCE)
    data.begin(instance, ahead=True)
    assert data.ask(instance)["t"].value == "said"
    assert len(service.seen) == 1
    data.ask(instance)
    assert len(service.seen) == 2
    ahead = data.begin(instance, ahead=True)
    assert isinstance(ahead, Future)
    ahead.result(PATIENCE)
    time.now += 11
    data.ask(instance)
    assert len(service.seen) == 4


def test_what_nobody_collects_is_let_go(
    target: Any, instance: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is not to be stored does not stay in memory because the guest never came for it."""
    monkeypatch.setattr(freshness_policy, "_HAND_OVER", 0.0)
    _, data = target(Cache_Control="no-store")
    ahead = data.begin(instance, ahead=True)
    assert isinstance(ahead, Future)
    assert ahead.result(PATIENCE)["t"].value == "said"
    assert eventually(lambda: len(data.shelves()["t"]) == 0, PATIENCE)


def test_a_machine_out_of_threads(
    target: Any, instance: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The question has failed, and is no obstacle to the next one."""
    _, data = target()

    def no_more(*_args: Any) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(ThreadPoolExecutor, "submit", no_more)
        answer = data.ask(instance)["t"]
    assert (answer.state, answer.reason) == (State.FAILED, "was not asked: can't start new thread")
    assert data.ask(instance)["t"].value == "said"
