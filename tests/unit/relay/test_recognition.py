"""Recognition: remembered, asked once for all, never older than it may be."""

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from ipaddress import ip_address
from typing import Any
from uuid import uuid4

import pytest

from firstlight.relay.contract import (
    Ambiguous,
    Found,
    Guest,
    Nobody,
    Place,
    Resolution,
    Unavailable,
    Via,
)
from firstlight.relay.recognition import Recognition, Terms
from servers import eventually

NETWORK = Place(Via.NETWORK, str(uuid4()))
AWAY = Unavailable("the bus is away")
PATIENCE = 30


def guest(address: str = "10.0.0.5", place: Place = NETWORK) -> Guest:
    return Guest(place, ip_address(address))


def found(name: str = "one") -> Found:
    return Found(name, "project", f"port of {name}", "fa:16:3e:00:00:01")


class Neutron:
    """A resolver whose answers a test decides, and may hold back."""

    name = "test"

    def __init__(self) -> None:
        self.answer: Resolution = found()
        self.asked: list[tuple[list[Guest], bool]] = []
        self.goes_on = threading.Event()
        self.goes_on.set()
        self.began = threading.Semaphore(0)
        self.closed = False
        self.breaks = False

    def resolve(self, guests: Sequence[Guest], *, fresh: bool = False) -> Sequence[Resolution]:
        self.asked.append((list(guests), fresh))
        answer = self.answer
        self.began.release()
        assert self.goes_on.wait(PATIENCE)
        if self.breaks:
            raise RuntimeError("a bug")
        return [answer] * len(guests)

    def trouble(self) -> str | None:
        return self.answer.reason if isinstance(self.answer, Unavailable) else None

    def close(self) -> None:
        self.closed = True


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Scene:
    """A recognition with everything it is handed."""

    def __init__(self) -> None:
        self.neutron = Neutron()
        self.clock = Clock()
        self.neighbours: set[str] | None = None
        self.made: list[Recognition] = []

    def recognition(self, **terms: Any) -> Recognition:
        made = Recognition(
            self.neutron,
            Terms(**terms),
            still_there=None if self.neighbours is None else self.still_there,
            clock=self.clock,
        )
        self.made.append(made)
        return made

    def still_there(self, _guest: Guest, mac: str) -> bool:
        return mac in (self.neighbours or ())


def told(value: "Resolution | Future[Resolution]") -> Resolution:
    return value.result(PATIENCE) if isinstance(value, Future) else value


@pytest.fixture
def scene() -> Iterator[Scene]:
    scene = Scene()
    yield scene
    scene.neutron.goes_on.set()
    for recognition in scene.made:
        recognition.close()


def test_found_is_remembered(scene: Scene) -> None:
    """A guest that was found is known at once for its time, and asked about anew after it."""
    recognition = scene.recognition(found=10)
    assert recognition.peek(guest()) is None
    assert told(recognition.find(guest())) == found()
    scene.clock.now += 9.9
    assert recognition.peek(guest()) == found() == recognition.find(guest())
    scene.clock.now += 0.2
    assert recognition.peek(guest()) is None
    scene.neutron.answer = found("two")
    assert told(recognition.find(guest())) == found("two")


@pytest.mark.parametrize("answer", [Nobody(), Ambiguous(("a", "b"))])
def test_nobody_is_remembered_for_less(scene: Scene, answer: Resolution) -> None:
    """Nobody and several are remembered for their own, shorter time."""
    scene.neutron.answer = answer
    recognition = scene.recognition(found=10, nobody=2)
    assert told(recognition.find(guest())) == answer
    scene.clock.now += 1.9
    assert recognition.peek(guest()) == answer
    scene.clock.now += 0.2
    assert recognition.peek(guest()) is None
    assert len(scene.neutron.asked) == 1


def test_unavailable_is_not_remembered(scene: Scene) -> None:
    """That nobody could be asked is no knowledge: the next question is asked."""
    scene.neutron.answer = AWAY
    recognition = scene.recognition()
    assert told(recognition.find(guest())) == AWAY
    scene.neutron.answer = found()
    assert told(recognition.find(guest())) == found()


def test_places_do_not_mix(scene: Scene) -> None:
    """The same address at another place is another guest."""
    recognition = scene.recognition()
    told(recognition.find(guest()))
    other = Place(Via.NETWORK, str(uuid4()))
    assert recognition.peek(guest(place=other)) is None
    assert recognition.peek(guest(place=Place(Via.ROUTER, NETWORK.id))) is None


def test_one_question_for_all_who_ask(scene: Scene) -> None:
    """While a guest is asked about, whoever else asks waits for the same answer."""
    scene.neutron.goes_on.clear()
    recognition = scene.recognition()
    waiting = [recognition.find(guest()) for _ in range(40)]
    scene.neutron.goes_on.set()
    assert {told(one) for one in waiting} == {found()}
    assert len(scene.neutron.asked) == 1


def test_guests_are_asked_about_together(scene: Scene) -> None:
    """Guests that come while the resolver is busy are asked about in one batch, each once."""
    scene.neutron.goes_on.clear()
    recognition = scene.recognition()
    first = [recognition.find(guest("10.0.0.1"))]
    assert scene.neutron.began.acquire(timeout=PATIENCE)
    first.append(recognition.find(guest("10.0.0.2")))
    assert scene.neutron.began.acquire(timeout=PATIENCE)  # both threads are busy now
    rest = [recognition.find(guest(f"10.0.1.{number}")) for number in range(60)]
    scene.neutron.goes_on.set()
    assert all(told(one) == found() for one in first + rest)
    assert sorted(len(guests) for guests, _ in scene.neutron.asked) == [1, 1, 60]


def test_again_asks_past_what_is_known(scene: Scene) -> None:
    """`again` asks the resolver, without what that keeps, and its answer counts from then on."""
    recognition = scene.recognition(found=10)
    told(recognition.find(guest()))
    scene.clock.now += 1.5
    scene.neutron.answer = found("two")
    assert recognition.peek(guest()) == found()
    assert told(recognition.again(guest())) == found("two")
    assert recognition.peek(guest()) == found("two")
    assert [fresh for _, fresh in scene.neutron.asked] == [False, True]


def test_again_and_again_asks_once_a_second(scene: Scene) -> None:
    """A guest that makes us look again all the time makes us look once a second."""
    recognition = scene.recognition(found=10)
    told(recognition.find(guest()))
    assert told(recognition.again(guest())) == found()
    assert len(scene.neutron.asked) == 1


def test_an_older_look_does_not_undo_a_newer_one(scene: Scene) -> None:
    """An answer that was on its way when `again` was asked does not replace that one's."""
    scene.neutron.goes_on.clear()
    recognition = scene.recognition()
    old = recognition.find(guest())
    assert scene.neutron.began.acquire(timeout=PATIENCE)
    scene.clock.now += 1
    held, scene.neutron.goes_on = scene.neutron.goes_on, threading.Event()
    scene.neutron.goes_on.set()
    scene.neutron.answer = found("two")
    assert told(recognition.again(guest())) == found("two")
    held.set()
    assert told(old) == found()  # what was true when it was asked
    assert recognition.peek(guest()) == found("two")


def test_gone_is_forgotten(scene: Scene) -> None:
    """A guest that was known and is nobody now is nobody, also once the resolver is away."""
    scene.neighbours = {found().mac}
    recognition = scene.recognition(found=10, nobody=2)
    told(recognition.find(guest()))
    scene.clock.now += 5
    scene.neutron.answer = Nobody()
    assert told(recognition.again(guest())) == Nobody()
    scene.neutron.answer = AWAY
    scene.clock.now += 60
    assert told(recognition.find(guest())) == AWAY


def test_stale_while_away_and_the_mac_is_there(scene: Scene) -> None:
    """An expired answer counts while the resolver is away and the neighbour table shows the MAC;
    it says how old it is."""
    scene.neighbours = {found().mac}
    recognition = scene.recognition(found=10)
    told(recognition.find(guest()))
    scene.clock.now += 60
    assert recognition.peek(guest()) is None  # it may be asked
    scene.neutron.answer = AWAY
    stale = told(recognition.find(guest()))
    assert isinstance(stale, Found)
    assert (stale.instance_id, stale.stale) == ("one", 60)
    assert recognition.peek(guest()) == stale  # at once, while that look is new
    assert eventually(lambda: recognition.counts().stale == 2)  # counted behind the answer


def test_stale_does_not_wait_for_the_resolver(scene: Scene) -> None:
    """Once the resolver is known to be away, those who are vouched for do not wait for it; the
    neighbour table is looked at anew each second."""
    scene.neighbours = {found().mac}
    recognition = scene.recognition(found=10)
    told(recognition.find(guest()))
    scene.clock.now += 60
    scene.neutron.answer = AWAY
    told(recognition.find(guest()))
    scene.neutron.goes_on.clear()  # from here on it does not even say that it is away
    scene.clock.now += 1.5
    assert recognition.peek(guest()) is None
    stale = told(recognition.find(guest()))
    assert isinstance(stale, Found)
    assert stale.stale == 61
    scene.neighbours.clear()
    scene.clock.now += 1.5
    unknown = recognition.find(guest())
    assert isinstance(unknown, Future)
    scene.neutron.goes_on.set()
    assert told(unknown) == AWAY


def test_never_stale_without_the_neighbour(scene: Scene) -> None:
    """Another MAC at the address, or no neighbour table at all: an expired answer is no answer."""
    for neighbours in ({"fa:16:3e:99:99:99"}, None):
        scene.neighbours = neighbours
        scene.neutron.answer = found()
        recognition = scene.recognition(found=10)
        told(recognition.find(guest()))
        scene.clock.now += 60
        scene.neutron.answer = AWAY
        assert told(recognition.find(guest())) == AWAY
        assert recognition.peek(guest()) is None


def test_stale_has_an_end(scene: Scene) -> None:
    """Past its last term an answer is none, whatever the neighbour table shows; 0 means never."""
    scene.neighbours = {found().mac}
    for seconds, later in ((3600, 3601), (0, 11)):
        scene.neutron.answer = found()
        recognition = scene.recognition(found=10, stale=seconds)
        told(recognition.find(guest()))
        scene.clock.now += later
        scene.neutron.answer = AWAY
        assert told(recognition.find(guest())) == AWAY


def test_back_again(scene: Scene) -> None:
    """When the resolver is back, its answers count, although stale ones were given before."""
    scene.neighbours = {found().mac}
    recognition = scene.recognition(found=10)
    told(recognition.find(guest()))
    scene.clock.now += 60
    scene.neutron.answer = AWAY
    told(recognition.find(guest()))
    scene.neutron.answer = found("two")
    assert told(recognition.find(guest())) == found("two")


def test_strangers_push_nobody_out(scene: Scene) -> None:
    """However many addresses are made up, memory is bounded and known guests stay known."""
    recognition = scene.recognition(found=10, nobody=10, most=50)
    told(recognition.find(guest()))
    scene.neutron.answer = Nobody()
    made_up = [guest(f"fd00::{number:x}") for number in range(1, 400)]
    for one in [recognition.find(one) for one in made_up]:
        assert told(one) == Nobody()
    assert recognition.peek(guest()) == found()
    assert recognition.counts().nobody == 50


def test_a_crowd_is_told_so(scene: Scene) -> None:
    """More guests than may wait are not queued: they are Unavailable at once."""
    scene.neutron.goes_on.clear()
    recognition = scene.recognition()
    crowd = [recognition.find(guest(str(ip_address(n)))) for n in range(2**24, 2**24 + 10_001)]
    assert isinstance(told(crowd[-1]), Unavailable)
    assert recognition.counts().refused == 1
    scene.neutron.goes_on.set()
    assert told(crowd[0]) == found()


def test_a_broken_resolver_leaves_nobody_waiting(scene: Scene) -> None:
    """A resolver that raises is Unavailable, and the next question is asked all the same."""
    scene.neutron.breaks = True
    recognition = scene.recognition()
    assert isinstance(told(recognition.find(guest())), Unavailable)
    assert "RuntimeError" in str(recognition.trouble())
    scene.neutron.breaks = False
    assert told(recognition.find(guest())) == found()
    assert recognition.trouble() is None


def test_trouble_while_no_guest_asks(scene: Scene) -> None:
    """A probe finds out that the resolver fails, and that it does not any more."""
    scene.neutron.breaks = True
    recognition = scene.recognition()
    assert recognition.trouble() is None
    recognition.probe()
    assert "RuntimeError" in str(recognition.trouble())
    scene.neutron.breaks = False
    recognition.probe()
    assert recognition.trouble() is None
    assert recognition.counts().asked == 0


def test_a_broken_neighbour_table_leaves_nobody_waiting(scene: Scene) -> None:
    """A neighbour table that cannot be read vouches for nobody, and nobody waits for ever."""
    broken = Recognition(scene.neutron, still_there=lambda _g, _mac: 1 / 0, clock=scene.clock)
    scene.made.append(broken)
    told(broken.find(guest()))
    scene.clock.now += 60
    scene.neutron.answer = AWAY
    for _ in range(3):  # also once it is known to be away, and on every thread
        assert isinstance(told(broken.find(guest())), Unavailable)


def test_close_leaves_nobody_waiting(scene: Scene) -> None:
    """Who waits in the queue when it is closed is told so; the resolver is closed."""
    scene.neutron.goes_on.clear()
    recognition = scene.recognition()
    for address in ("10.0.0.1", "10.0.0.2"):
        recognition.find(guest(address))
        assert scene.neutron.began.acquire(timeout=PATIENCE)
    queued = recognition.find(guest("10.0.0.3"))
    recognition.close()
    assert isinstance(told(queued), Unavailable)
    assert isinstance(told(recognition.find(guest("10.0.0.4"))), Unavailable)
    assert scene.neutron.closed
