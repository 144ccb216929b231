"""Who is met at ``/openstack``, and who is held, sent away or let in."""

from collections.abc import Callable, Collection
from concurrent.futures import Future
from types import SimpleNamespace
from typing import Any

import pytest
import requests

from firstlight.concurrency.workers import Workers
from firstlight.httpd.protocol.messages import Request, Response
from firstlight.instance import Answer, Instance, State
from firstlight.metadata.boot.boot_gate import BootGate, HoldOutcome, HoldPolicy
from firstlight.metadata.boot.set_server_error import NovaErrorSetter
from firstlight.metadata.boot.watchdog import SetErrorFailed, SetErrorResult, Watchdog
from support.servers.metadata_service import server

UUID = "00000000-0000-4000-8000-00000000000a"
GOOD = Answer(value=1, state=State.OK, fetched=0.0)
BAD = Answer(value={}, state=State.FAILED, fetched=0.0, reason="answered 503")
LAUNCHED = '{"server": {"status": "ACTIVE", "OS-SRV-USG:launched_at": "soon"}}'
NEW, OLD = "Cloud-Init/26.2", "Cloud-Init/22.4.2"


class Hands:
    """A clock and an alarm that a test turns."""

    def __init__(self) -> None:
        self.now = 100.0
        self._due: list[tuple[float, Callable[[], None]]] = []

    def clock(self) -> float:
        return self.now

    def after(self, seconds: float, call: Callable[[], None]) -> Callable[[], None]:
        due = (self.now + seconds, call)
        self._due.append(due)
        return lambda: self._due.remove(due) if due in self._due else None

    def turn(self, seconds: float) -> None:
        """So many seconds pass, and what is due is called in its order."""
        end = self.now + seconds
        while ready := sorted((due for due in self._due if due[0] <= end), key=lambda due: due[0]):
            self.now = ready[0][0]
            self._due.remove(ready[0])
            ready[0][1]()
        self.now = end

    def close(self) -> None:
        """Nothing is open."""


class Targets:
    """One required target: each question is a future that the test fulfils, or known at once."""

    required = frozenset(["t"])

    def __init__(self) -> None:
        self.known: Answer | None = None
        self.asked: list[Future[Any]] = []
        self.all_ahead = True

    def begin(
        self, instance: Instance, *, only: Collection[str] | None = None, ahead: bool = False
    ) -> Any:
        self.all_ahead &= ahead
        if self.known is not None:
            return {"t": self.known}
        if only is None:
            return Future()
        self.asked.append(Future())
        return self.asked[-1]

    def fatal(self, answers: dict[str, Answer]) -> str | None:
        bad = answers["t"].state is State.FAILED
        return f"required target t {answers['t'].reason}" if bad else None

    def outdate(self, uuid: str | None) -> None:
        """Nothing is kept."""

    def static(self) -> Any:
        return {}


class Judge:
    """Gives verdicts, or cannot."""

    def __init__(self) -> None:
        self.given: list[tuple[str, str]] = []
        self.broken = False
        self.fault: Exception | None = None

    def __call__(self, uuid: str, reason: str) -> SetErrorResult:
        if self.fault is not None:
            raise self.fault
        if self.broken:
            raise SetErrorFailed("Nova's API is away")
        self.given.append((uuid, reason))
        return SetErrorResult(True, "done")


class Straight(Workers):
    """Does the work at once, so that a test need not wait."""

    def __init__(self) -> None:
        super().__init__("straight", threads=1, waiting=1)

    def submit(self, work: Any, *args: Any, **kwargs: Any) -> Any:
        return work(*args, **kwargs)


class Scene:
    """A door with everything around it."""

    def __init__(self, error_after: float = 0, **holding: Any) -> None:
        self.hands, self.targets, self.judge = Hands(), Targets(), Judge()
        self.vigil = None
        alarm: Any = self.hands
        if error_after:
            self.vigil = Watchdog(
                self.targets, self.judge, seconds=error_after, alarm=alarm, pool=Straight()
            )
        self.door = BootGate(
            self.targets,
            HoldPolicy(**holding),
            clock=self.hands.clock,
            alarm=alarm,
            vigil=self.vigil,
        )

    def enter(self, agent: str = OLD) -> Any:
        request = Request("GET", "/openstack", {b"user-agent": agent.encode()})
        return self.door.enter(
            request, server(UUID, "a"), self.hands.now, lambda: Response(200, b"versions")
        )


def status(reply: Any) -> int | None:
    """None: still held."""
    if isinstance(reply, Future):
        return int(reply.result().status) if reply.done() else None
    return int(reply.status)


def test_nobody_is_held_by_default() -> None:
    """Targets are asked ahead, and the guest is let in at once whatever they say."""
    targets = Targets()
    door = BootGate(targets, clock=lambda: 0.0)
    request = Request("GET", "/openstack", {})
    reply = door.enter(request, server(UUID, "a"), 0.0, lambda: Response(200, b"versions"))
    assert status(reply) == 200
    assert targets.all_ahead


def test_held_until_it_answers() -> None:
    """And not a moment longer; nobody is left in the count."""
    scene = Scene(seconds=8)
    held = scene.enter()
    scene.hands.turn(3)
    assert (status(held), scene.door.held) == (None, 1)
    scene.targets.asked[0].set_result({"t": GOOD})
    assert (status(held), scene.door.held) == (200, 0)
    assert scene.door.left == {HoldOutcome.ANSWERED: 1}
    assert scene.targets.all_ahead


def test_known_already() -> None:
    """A target that has answered holds nobody."""
    scene = Scene(seconds=8)
    scene.targets.known = GOOD
    assert isinstance(scene.enter(), Response)


def test_a_failure_is_asked_again() -> None:
    """Every second, until it answers."""
    scene = Scene(seconds=8)
    held = scene.enter()
    for number in range(3):
        scene.targets.asked[number].set_result({"t": BAD})
        assert len(scene.targets.asked) == number + 1
        scene.hands.turn(1)
    assert (status(held), len(scene.targets.asked)) == (None, 4)
    scene.targets.asked[3].set_result({"t": GOOD})
    assert status(held) == 200


@pytest.mark.parametrize(
    ("agent", "retry_after", "expected", "left"),
    [
        (OLD, 0, 200, HoldOutcome.LET_IN),
        (OLD, 2, 200, HoldOutcome.LET_IN),
        (NEW, 0, 200, HoldOutcome.LET_IN),
        (NEW, 2, 503, HoldOutcome.SENT_AWAY),
    ],
)
def test_when_the_time_is_up(
    agent: str, retry_after: int, expected: int, left: HoldOutcome
) -> None:
    """Sent away if the operator wants it and the guest is known to come back; else let in."""
    scene = Scene(seconds=8, retry_after=retry_after)
    held = scene.enter(agent)
    scene.hands.turn(7.9)
    assert status(held) is None
    scene.hands.turn(0.2)
    assert status(held) == expected
    assert (scene.door.left, scene.door.held) == ({left: 1}, 0)
    if expected == 503:
        assert held.result().headers == ((b"Retry-After", b"2"),)
    scene.targets.asked[0].set_result({"t": GOOD})  # too late, and nobody minds
    assert scene.door.left == {left: 1}


def test_time_spent_before_counts() -> None:
    """The look-up of the instance took three of the eight seconds."""
    scene = Scene(seconds=8)
    request = Request("GET", "/openstack", {})
    arrived = scene.hands.now - 3
    held = scene.door.enter(request, server(UUID, "a"), arrived, lambda: Response(200))
    scene.hands.turn(5.1)
    assert status(held) == 200


def test_no_more_than_so_many() -> None:
    """One more is not held: sent away or let in at once."""
    scene = Scene(seconds=8, retry_after=1, most=2)
    held = [scene.enter(), scene.enter()]
    assert [status(scene.enter(OLD)), status(scene.enter(NEW))] == [200, 503]
    assert [status(one) for one in held] == [None, None]
    scene.hands.turn(9)
    assert scene.door.held == 0


def test_without_holding() -> None:
    """Only sent away: at once, as long as there is no answer."""
    scene = Scene(retry_after=1)
    assert [status(scene.enter(OLD)), status(scene.enter(NEW))] == [200, 503]
    scene.targets.known = GOOD
    assert status(scene.enter(NEW)) == 200


def test_condemned() -> None:
    """A server whose target never answered is set to ERROR, once for all who ask meanwhile, with
    the target named; a guest that asks again later begins anew."""
    scene = Scene(error_after=60)
    scene.targets.known = BAD
    for _ in range(3):
        scene.enter()
    scene.hands.turn(59)
    assert scene.judge.given == []
    scene.hands.turn(200)
    assert scene.judge.given == [(UUID, "required target t answered 503")]
    scene.enter()
    scene.hands.turn(61)
    assert len(scene.judge.given) == 2


def test_spared_by_an_answer() -> None:
    """The guest came again, and everything was there."""
    scene = Scene(error_after=60)
    scene.targets.known = BAD
    scene.enter()
    scene.targets.known = GOOD
    scene.enter()
    scene.targets.known = BAD
    scene.hands.turn(61)
    assert scene.judge.given == []


def test_spared_by_a_last_look() -> None:
    """Nobody came again, and the target answers when the time is up."""
    scene = Scene(error_after=60)
    scene.targets.known = BAD
    scene.enter()
    scene.targets.known = GOOD
    scene.hands.turn(61)
    assert scene.judge.given == []


def test_refused_is_not_spared() -> None:
    """A guest that was refused its document has gone on without it, whatever came later."""
    scene = Scene(error_after=60)
    assert scene.vigil is not None
    scene.targets.known = BAD
    scene.enter()
    scene.vigil.refused(UUID, "required target t answered 503")
    scene.targets.known = GOOD
    scene.hands.turn(61)
    assert [uuid for uuid, _ in scene.judge.given] == [UUID]


def test_refused_and_then_given() -> None:
    """It asked again and got it."""
    scene = Scene(error_after=60)
    assert scene.vigil is not None
    scene.targets.known = BAD
    scene.enter()
    scene.vigil.refused(UUID, "required target t answered 503")
    scene.vigil.given(UUID)
    scene.hands.turn(61)
    assert scene.judge.given == []


def test_one_that_only_asks_for_the_document_is_not_booting() -> None:
    """An agent that polls vendor_data2.json in a server that runs costs the server nothing."""
    scene = Scene(error_after=60)
    assert scene.vigil is not None
    scene.vigil.refused(UUID, "required target t answered 503")
    scene.hands.turn(61)
    assert scene.judge.given == []


def test_a_verdict_that_fails_is_tried_again() -> None:
    """Until it can be given."""
    scene = Scene(error_after=60)
    assert scene.vigil is not None
    scene.targets.known, scene.judge.broken = BAD, True
    scene.enter()
    scene.hands.turn(85)
    assert (scene.judge.given, scene.vigil.failed) == ([], 3)
    scene.judge.broken = False
    scene.hands.turn(10)
    assert len(scene.judge.given) == 1


def test_a_time_that_is_up_at_once_lets_the_guest_go() -> None:
    """However busy the machine is between looking at the clock and setting the alarm."""
    scene = Scene(seconds=8)

    def at_once(_seconds: float, call: Callable[[], None]) -> Callable[[], None]:
        call()
        return lambda: None

    scene.hands.after = at_once  # type: ignore[method-assign]
    assert (status(scene.enter()), scene.door.held) == (200, 0)


def test_a_fault_in_a_verdict_is_told_and_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    """It is in the log, and the server is not forgotten."""
    scene = Scene(error_after=60)
    scene.enter()
    scene.targets.known = BAD
    scene.judge.fault = KeyError("server")
    scene.hands.turn(60)
    assert scene.vigil is not None
    assert (scene.judge.given, scene.vigil.failed) == ([], 1)
    assert "KeyError" in caplog.text
    scene.judge.fault = None
    scene.hands.turn(11)
    assert [uuid for uuid, _ in scene.judge.given] == [UUID]


@pytest.mark.parametrize("body", ["<html>", "[]", "{}", '{"server": {"status": 1}}', LAUNCHED])
def test_what_is_not_novas_answer_is_a_failure(body: str) -> None:
    """A proxy's page, or another service behind the name, is said to be no answer of Nova's."""
    reply = requests.Response()
    reply.status_code, reply._content = 200, body.encode()
    compute: Any = SimpleNamespace(request=lambda *_args, **_more: reply)
    with pytest.raises(SetErrorFailed, match="Nova's API answers GET /servers/"):
        NovaErrorSetter(compute, since=60)(UUID, "required target t answered 503")
