"""One deadline for all targets: nothing waits beyond it, and nothing is left behind."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from keystoneauth1.session import Session
from msgspec import structs

from firstlight.instance import Answer, Instance, State
from firstlight.openstack.cancellable import transport
from firstlight.vendordata_client import CallPolicy, DynamicJSON, Kind, NoObserver, parse

PATIENCE = 20  # seconds until a test gives up; nothing is measured by it


@pytest.fixture
def released() -> Any:
    """Set when the test is over, so that targets that never answer end."""
    event = threading.Event()
    yield event
    event.set()


@pytest.fixture
def dynamic() -> Any:
    """Targets without authentication, closed at the end."""
    opened: list[DynamicJSON] = []

    def make(*targets: str, settings: CallPolicy | None = None, **more: Any) -> DynamicJSON:
        session = Session(session=transport(16))
        opened.append(DynamicJSON(parse(targets), session, settings, **more))
        return opened[-1]

    yield make
    for each in opened:
        each.close()


def dripping(first: bytes, drop: bytes, ended: threading.Event) -> Callable[[Any], None]:
    """A script that sends `first` and then `drop` after `drop`, until nobody reads any more."""

    def script(handler: Any) -> None:
        try:
            handler.wfile.write(first)
            for _ in range(PATIENCE * 100):
                handler.wfile.write(drop)
                threading.Event().wait(0.01)
        except OSError:
            ended.set()
            raise

    return script


def test_targets_are_asked_in_parallel(serve: Any, dynamic: Any, instance: Instance) -> None:
    """Two targets that each wait for the other's question both answer."""
    both = threading.Barrier(2)

    def script(handler: Any) -> None:
        both.wait(PATIENCE)
        handler.say(200, b'"met"')

    answers = dynamic(f"a@{serve(script).url}", f"b@{serve(script).url}").ask(instance, PATIENCE)
    assert [answer.value for answer in answers.values()] == ["met", "met"]


def test_one_that_never_answers(
    serve: Any, dynamic: Any, instance: Instance, released: threading.Event
) -> None:
    """The others' keys are there at the deadline; the late one has failed; order is kept."""
    late = serve(lambda h: released.wait(PATIENCE))
    good = serve(lambda h: h.say(200, b"1"))
    answers = dynamic(f"late@{late.url}", f"good@{good.url}").ask(instance, 0.5)
    assert list(answers) == ["late", "good"]
    assert (answers["late"].value, answers["late"].state) == ({}, State.FAILED)
    assert answers["late"].reason == "did not answer within 0.5 s"
    assert answers["good"].value == 1
    assert not released.is_set()


def test_the_configured_deadline(
    serve: Any, dynamic: Any, instance: Instance, released: threading.Event
) -> None:
    """Where a question brings no deadline, the configured one holds."""
    late = serve(lambda h: released.wait(PATIENCE))
    answer = dynamic(f"t@{late.url}", deadline=0.3).ask(instance)["t"]
    assert answer.state is State.FAILED


def test_read_timeout(
    serve: Any, dynamic: Any, instance: Instance, released: threading.Event
) -> None:
    """A target that sends nothing for the read timeout fails without waiting for the deadline."""
    late = serve(lambda h: released.wait(PATIENCE))
    settings = CallPolicy(read_timeout=0.2)
    answer = dynamic(f"t@{late.url}", settings=settings).ask(instance, PATIENCE)["t"]
    assert answer.reason == "sent nothing for 0.2 s"


@pytest.mark.parametrize(
    ("first", "drop"),
    [
        (b"HTTP/1.1 200 OK\r\nX-Slow: ", b"x"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n", b" "),
        (b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", b" "),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10000\r\n", b" "),
        (b"HTTP/1.1 302 Found\r\nLocation: ", b"x"),
    ],
    ids=["headers", "body", "endless body", "chunk", "location"],
)
def test_dripping(serve: Any, dynamic: Any, instance: Instance, first: bytes, drop: bytes) -> None:
    """A target that drips fails at the deadline, though each byte is in time; and is hung up on."""
    ended = threading.Event()
    target = serve(dripping(first, drop, ended))
    answer: Answer = dynamic(f"t@{target.url}").ask(instance, 0.4)["t"]
    assert (answer.value, answer.state) == ({}, State.FAILED)
    assert answer.reason == "did not answer within 0.4 s"
    assert ended.wait(PATIENCE)


def test_a_cut_thread_is_free_again(serve: Any, dynamic: Any, instance: Instance) -> None:
    """With one thread for a target, it answers the next question after one it failed."""
    ended = threading.Event()
    target = serve(dripping(b"HTTP/1.1 200 OK\r\nX-Slow: ", b"x", ended))
    data = dynamic(f"t@{target.url}", settings=CallPolicy(in_flight=1))
    assert data.ask(instance, 0.3)["t"].state is State.FAILED
    target.script = lambda h: h.say(200, b'"better"')
    assert data.ask(instance, PATIENCE)["t"].value == "better"


def test_a_dead_target_takes_its_own_threads_only(
    serve: Any, dynamic: Any, instance: Instance, released: threading.Event
) -> None:
    """Questions beyond a target's bound wait until their deadline; other targets go on."""
    asked = threading.Event()

    def script(handler: Any) -> None:
        asked.set()
        released.wait(PATIENCE)

    dead, good = serve(script), serve(lambda h: h.say(200, b"1"))
    settings = CallPolicy(in_flight=1, read_timeout=PATIENCE)
    data = dynamic(f"dead@{dead.url}", f"good@{good.url}", settings=settings)
    with ThreadPoolExecutor(1) as other:
        first = other.submit(data.ask, instance, 2.0)
        assert asked.wait(PATIENCE)
        second = data.ask(structs.replace(instance, hostname="bar"), 0.3)
        assert second["dead"].reason == (
            "was not asked within 0.3 s: too many questions to it are open"
        )
        assert second["good"].value == 1
        assert first.result()["good"].value == 1
    assert len(dead.seen) == 1


def test_redirects_share_the_deadline(serve: Any, dynamic: Any, instance: Instance) -> None:
    """Hops that are each quick enough end at the deadline together."""

    def script(handler: Any) -> None:
        threading.Event().wait(0.1)
        handler.say(302, Location=f"http://{handler.headers['Host']}/")

    target = serve(script)
    answer = dynamic(f"t@{target.url}").ask(instance, 0.5)["t"]
    assert (answer.value, answer.state) == ({}, State.FAILED)
    assert answer.reason == "did not answer within 0.5 s"


def test_no_time_at_all(serve: Any, dynamic: Any, instance: Instance) -> None:
    """A budget that is spent already fails every target, and blocks nobody."""
    target = serve(lambda h: h.say(200, b"1"))
    assert dynamic(f"t@{target.url}").ask(instance, 0)["t"].state is State.FAILED


def test_observed(serve: Any, dynamic: Any, instance: Instance, released: threading.Event) -> None:
    """Each target's answer is told to the observer once, with its name and the time it took."""
    told: dict[str, tuple[State, Kind | None, float]] = {}

    class Observes(NoObserver):
        def called(self, target: str, answer: Answer, kind: Kind | None, seconds: float) -> None:
            assert target not in told
            told[target] = (answer.state, kind, seconds)

    late = serve(lambda h: released.wait(PATIENCE))
    good = serve(lambda h: h.say(200, b"1"))
    targets = (f"late@{late.url}", f"good@{good.url}", "bad@nourl")
    dynamic(*targets, observer=Observes()).ask(instance, 0.4)
    assert {name: (state, kind) for name, (state, kind, _) in told.items()} == {
        "late": (State.FAILED, Kind.TIMEOUT),
        "good": (State.OK, None),
        "bad": (State.FAILED, Kind.URL),
    }
    assert all(seconds >= 0 for *_, seconds in told.values())


def test_fault_of_ours(
    serve: Any, dynamic: Any, instance: Instance, caplog: pytest.LogCaptureFixture
) -> None:
    """A fault of our own costs one key, and leaves a traceback in the log."""
    good = serve(lambda h: h.say(200, b"1"))
    faults = [KeyError("fault")]

    def clock() -> float:
        if faults and threading.current_thread().name.startswith("target-bad"):
            raise faults.pop()
        return 0.0

    answers = dynamic(f"bad@{good.url}", f"good@{good.url}", clock=clock).ask(instance, PATIENCE)
    assert answers["bad"].state is State.FAILED
    assert answers["good"].value == 1
    assert "Traceback" in caplog.text
