"""Targets in trouble: the others' data is there in time, and soon the trouble costs nothing."""

import logging
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from typing import Any

import pytest
from msgspec import structs

from firstlight.instance import Answer, Instance, State
from firstlight.vendordata_client import BreakerEffect, Kind, NoObserver, VendorData

PATIENCE = 20
TIMEOUT = 0.5  # seconds; the slow target takes forty times that


class Time:
    """A clock and a timer that a test moves."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


class Watching(NoObserver):
    """What the observer is told."""

    def __init__(self) -> None:
        self.kinds: list[tuple[str, Kind | None]] = []
        self.breakers: list[tuple[str, BreakerEffect]] = []

    def called(self, target: str, answer: Answer, kind: Kind | None, seconds: float) -> None:
        self.kinds.append((target, kind))

    def breaker(self, target: str, state: BreakerEffect) -> None:
        self.breakers.append((target, state))


@pytest.fixture
def watching() -> Watching:
    return Watching()


@pytest.fixture
def released() -> Iterator[threading.Event]:
    """Set when the test is over, so that targets that never answer end."""
    event = threading.Event()
    yield event
    event.set()


def others(instance: Instance) -> Iterator[Instance]:
    """Instances, one after the other, of which nothing is known."""
    for number in range(1000):
        yield structs.replace(instance, uuid=f"00000000-0000-4000-8000-{number:012}")


def fifty_megabytes(handler: Any) -> None:
    handler.send_response(200)
    handler.send_header("Connection", "close")
    handler.end_headers()
    for _ in range(800):
        handler.wfile.write(b" " * 65536)


def hang_up(handler: Any) -> None:
    handler.connection.shutdown(socket.SHUT_RDWR)


TROUBLE: dict[str, tuple[Callable[[Any], None] | None, Kind]] = {
    "slow": (None, Kind.TIMEOUT),
    "dead": (hang_up, Kind.UNREACHABLE),
    "fifty megabytes": (fifty_megabytes, Kind.TOO_LARGE),
    "HTML": (lambda h: h.say(200, b"<html>", Content_Type="text/html"), Kind.NOT_JSON),
    "away": (lambda h: h.say(503), Kind.STATUS),
}


@pytest.mark.parametrize("trouble", TROUBLE)
def test_trouble(
    serve: Any,
    configured: Any,
    instance: Instance,
    *,
    watching: Watching,
    released: threading.Event,
    trouble: str,
) -> None:
    """The other target's key is there each time; after five failures the bad one is not called."""
    script, kind = TROUBLE[trouble]
    bad = serve(script or (lambda h: released.wait(PATIENCE)))
    good = serve(lambda h: h.say(200, b"1"))
    data: VendorData = configured(
        f"bad@{bad.url}",
        f"good@{good.url}",
        sections="[vendordata_target:bad]\nbreaker_seconds = 600\n"
        + (f"timeout = {TIMEOUT}" if script is None else ""),
        observer=watching,
    )
    some = others(instance)
    for _ in range(5):
        answers = data.ask(next(some), PATIENCE)
        assert (answers["bad"].state, answers["good"].value) == (State.FAILED, 1)
    assert watching.kinds.count(("bad", kind)) == 5
    assert watching.breakers[-1] == ("bad", BreakerEffect.OPEN)
    for _ in range(20):
        answers = data.ask(next(some), PATIENCE)
        assert (answers["bad"].value, answers["bad"].state) == ({}, State.FAILED)
        assert answers["good"].value == 1
    assert "was not asked: it failed 5 times in a row" in (answers["bad"].reason or "")
    assert len(bad.seen) == 5
    known = data.begin(instance, only=["good"])
    assert isinstance(known, Future)
    known.result(PATIENCE)
    # Nobody has to be waited for: answers, not the promise of them.
    assert not isinstance(data.begin(instance), Future)


def test_flapping(serve: Any, configured: Any, instance: Instance) -> None:
    """One that answers every other time never counts as dead, and what it said stands in."""
    turns = iter(range(1000))
    service = serve(lambda h: h.say(503 if next(turns) % 2 else 200, b'"said"'))
    time = Time()
    data = configured(f"t@{service.url}", clock=time, timer=time)
    states = []
    for _ in range(20):
        states.append(data.ask(instance)["t"].state)
        time.now += 16
    assert states == [State.OK, State.STALE] * 10
    assert len(service.seen) == 20


@pytest.mark.parametrize("status", [400, 401, 404, 500])
def test_failures_that_may_be_one_instances(
    serve: Any, configured: Any, instance: Instance, status: int
) -> None:
    """pcss answers 500 for an instance without ports: the next one may have some."""
    service = serve(lambda h: h.say(status))
    data = configured(f"t@{service.url}")
    for one, _ in zip(others(instance), range(8), strict=False):
        data.ask(one)
    assert len(service.seen) == 8


def test_one_question_is_let_through(serve: Any, configured: Any, instance: Instance) -> None:
    """After its seconds an open breaker lets one question through; an answer closes it."""
    service, time = serve(lambda h: h.say(503)), Time()
    options = "breaker_failures = 2\nbreaker_seconds = 5"
    data = configured(
        f"t@{service.url}", sections=f"[vendordata_target:t]\n{options}", clock=time, timer=time
    )
    some = others(instance)
    for _ in range(4):
        data.ask(next(some))
    assert len(service.seen) == 2
    time.now += 5
    for _ in range(4):
        data.ask(next(some))
    assert len(service.seen) == 3
    service.script = lambda h: h.say(200, b"1")
    time.now += 5
    assert [data.ask(next(some))["t"].value for _ in range(3)] == [1, 1, 1]


def test_open_and_yet_known(serve: Any, configured: Any, instance: Instance) -> None:
    """While a target is not asked, what it said stands in."""
    service, time = serve(lambda h: h.say(200, b'"said"')), Time()
    options = "breaker_failures = 1"
    data = configured(
        f"t@{service.url}", sections=f"[vendordata_target:t]\n{options}", clock=time, timer=time
    )
    data.ask(instance)
    service.script = lambda h: h.say(503)
    time.now += 16
    data.ask(instance)
    stale = data.ask(instance)["t"]
    assert (stale.value, stale.state, len(service.seen)) == ("said", State.STALE, 2)
    assert stale.reason == (
        "was not asked: it failed 1 times in a row (answered 503), and is tried again in 5 s"
    )


def test_what_the_log_says(
    serve: Any, configured: Any, instance: Instance, caplog: pytest.LogCaptureFixture
) -> None:
    """Which target, for whom, why, what is shown instead; that it is left alone, and is back."""
    service, time = serve(lambda h: h.say(200, b'"said"')), Time()
    sections = "[vendordata_target:t]\nbreaker_failures = 2"
    data = configured(f"t@{service.url}", sections=sections, clock=time, timer=time)
    caplog.clear()
    data.ask(instance)
    service.script = lambda h: h.say(503)
    for _ in range(2):
        time.now += 20
        data.ask(instance)
    service.script = lambda h: h.say(200, b'"said"')
    time.now += 20
    with caplog.at_level(logging.INFO):
        data.ask(instance)
    who = f"vendordata target t ({service.url})"
    assert [record.getMessage() for record in caplog.records] == [
        f"{who} failed for instance {instance.uuid}: answered 503; what it said 20 s ago is served",
        f"{who} failed 2 times in a row: one question every 5 s is let through until it answers",
        f"{who} failed for instance {instance.uuid}: answered 503; what it said 40 s ago is served",
        f"{who} answers again",
    ]


def test_accounts(serve: Any, configured: Any, instance: Instance) -> None:
    """For operators: what is kept, since when, whether it is fresh, what failed; never the data."""
    service, time = serve(lambda h: h.say(200, b'"hush"')), Time()
    url = service.url.replace("//", "//me:hush@")
    sections = "[vendordata_target:t]\nrequired = yes\nbreaker_failures = 1"
    data = configured(f"t@{url}", sections=sections, clock=time, timer=time)
    [nothing] = data.accounts(instance.uuid)
    assert (nothing.state, nothing.failure, nothing.required) == (None, None, True)
    data.ask(instance)
    [fresh] = data.accounts(instance.uuid)
    assert (fresh.state, fresh.fetched, fresh.fresh) == ("ok", 1_800_000_000.0, True)
    service.script = lambda h: h.say(503)
    time.now += 20
    data.ask(instance)
    [stale] = data.accounts(instance.uuid)
    assert (stale.fresh, stale.breaker, stale.retry_in) == (False, BreakerEffect.OPEN, 5.0)
    assert stale.failure is not None
    assert (stale.failure.kind, stale.failure.reason) == (Kind.STATUS, "answered 503")
    assert stale.failure.when == time.now
    assert "hush" not in f"{nothing}{fresh}{stale}"


def test_a_timeout_of_its_own(
    serve: Any, configured: Any, instance: Instance, released: threading.Event
) -> None:
    """A target's `timeout` ends its call before the deadline of all."""
    slow = serve(lambda h: released.wait(PATIENCE))
    data = configured(f"t@{slow.url}", sections="[vendordata_target:t]\ntimeout = 0.3")
    assert data.ask(instance, PATIENCE)["t"].reason == "did not answer within 0.3 s"


def test_a_size_of_its_own(serve: Any, configured: Any, instance: Instance) -> None:
    """`max_response_size` bounds one target's answer and nobody else's."""
    long = serve(lambda h: h.say(200, b'"0123456789"'))
    data = configured(
        f"a@{long.url}", f"b@{long.url}", sections="[vendordata_target:a]\nmax_response_size = 8"
    )
    answers = data.ask(instance)
    assert answers["a"].reason == "answered with more than 8 bytes"
    assert answers["b"].value == "0123456789"


def test_required(serve: Any, configured: Any, instance: Instance) -> None:
    """A required target's failure is fatal, an optional one's is not; Nova's option is for all."""
    bad = serve(lambda h: h.say(500))
    targets = f"a@{bad.url}", f"b@{bad.url}"
    fatal = "required target %s answered 500"
    for api, sections, why in (
        ("", "", None),
        ("", "[vendordata_target:b]\nrequired = yes", fatal % "b"),
        ("vendordata_dynamic_failure_fatal = yes", "", fatal % "a"),
        (
            "vendordata_dynamic_failure_fatal = yes",
            "[vendordata_target:a]\nrequired = no",
            fatal % "b",
        ),
    ):
        data = configured(*targets, api=api, sections=sections)
        assert data.fatal(data.ask(instance)) == why


def test_sections_of_nobody(configured: Any, caplog: pytest.LogCaptureFixture) -> None:
    """A section for a target that is not listed is named: it may be misspelt."""
    configured("right@http://127.0.0.1:1", sections="[vendordata_target:wrogn]\nttl = 1")
    assert "[vendordata_target:wrogn] is not used" in caplog.text
    caplog.clear()
    configured("Right@http://127.0.0.1:1", sections="[vendordata_target:Right]\nttl = 1")
    assert "is not used" not in caplog.text
