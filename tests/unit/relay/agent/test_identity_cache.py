"""Recognition: remembered, asked once for all, never older than it may be."""

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from ipaddress import ip_address
from typing import Any
from uuid import uuid4

import pytest

from firstlight.relay.agent.identity_cache import IdentityCache, IdentityLimits
from firstlight.relay.contract import (
    Ambiguous,
    Found,
    Guest,
    Nobody,
    Origin,
    Resolution,
    Unavailable,
    Via,
)
from firstlight.relay.proxy.neighbours import NO_ENTRY
from support.servers.databases import eventually

NETWORK = Origin(Via.NETWORK, str(uuid4()))
AWAY = Unavailable("the bus is away")
OTHER_MAC = "fa:16:3e:99:99:99"
PATIENCE = 30


def guest(address: str = "10.0.0.5", place: Origin = NETWORK) -> Guest:
    return Guest(place, ip_address(address))


def found(
    name: str = "one", mac: str = "fa:16:3e:00:00:01", other_macs: tuple[str, ...] = ()
) -> Found:
    return Found(name, "project", f"port of {name}", mac, other_macs=other_macs)


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
        self.said: str | None = None
        self.breaks = False

    def resolve(self, guests: Sequence[Guest], *, fresh: bool = False) -> Sequence[Resolution]:
        self.asked.append((list(guests), fresh))
        answer = self.answer
        self.began.release()
        assert self.goes_on.wait(PATIENCE)
        if self.breaks:
            raise RuntimeError("a bug")
        self.said = answer.reason if isinstance(answer, Unavailable) else None
        return [answer] * len(guests)

    def trouble(self) -> str | None:
        return self.said

    def close(self) -> None:
        self.closed = True


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Connection:
    """What a handler knows of a guest's connection."""

    def __init__(self, scope: int = 0) -> None:
        self.remembered: object = None
        self.scope = scope


class Scene:
    """A recognition with everything it is handed."""

    def __init__(self) -> None:
        self.neutron = Neutron()
        self.clock = Clock()
        self.mac: str | None = None  # what the neighbour table shows; None: it cannot be seen
        self.looks: list[tuple[Guest, int]] = []
        self.made: list[IdentityCache] = []

    def recognition(self, **terms: Any) -> IdentityCache:
        made = IdentityCache(
            self.neutron, IdentityLimits(**terms), look=self.look, clock=self.clock
        )
        self.made.append(made)
        return made

    def look(self, guest: Guest, interface: int) -> str | None:
        self.looks.append((guest, interface))
        return self.mac


def told(value: "Resolution | Future[Resolution]") -> Resolution:
    return value.result(PATIENCE) if isinstance(value, Future) else value


@pytest.fixture
def scene() -> Iterator[Scene]:
    scene = Scene()
    scene.mac = found().mac
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
    assert len(scene.neutron.asked) == 1
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
    other = Origin(Via.NETWORK, str(uuid4()))
    assert recognition.peek(guest(place=other)) is None
    assert recognition.peek(guest(place=Origin(Via.ROUTER, NETWORK.id))) is None


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
    recognition = scene.recognition(found=10, nobody=2)
    told(recognition.find(guest()))
    scene.clock.now += 5
    scene.neutron.answer = Nobody()
    assert told(recognition.again(guest())) == Nobody()
    scene.neutron.answer = AWAY
    scene.clock.now += 60
    assert told(recognition.find(guest())) == AWAY


def test_another_mac_is_asked_about(scene: Scene) -> None:
    """What is known is not used while replies go to another MAC, or to none: the resolver is asked
    afresh for each connection, and its answer counts."""
    for mac in (OTHER_MAC, NO_ENTRY):
        scene.mac, scene.neutron.answer = found().mac, found()
        scene.neutron.asked.clear()
        recognition = scene.recognition(found=10)
        told(recognition.find(guest()))
        scene.neutron.answer = found("two", mac=OTHER_MAC)
        scene.mac = mac
        for connections in (1, 2):
            asked = recognition.find(guest(), Connection())
            if mac == OTHER_MAC and connections == 2:
                assert asked == found("two", mac=OTHER_MAC)  # it is the one that is known now
            else:
                assert told(asked) == found("two", mac=OTHER_MAC)
                assert scene.neutron.asked[-1][1] is True  # nothing that was kept decides
        assert recognition.counts().unconfirmed == (1 if mac else 2)


def test_another_port_of_the_server(scene: Scene) -> None:
    """A server with two ports on a network may answer for one by the other's MAC."""
    scene.neutron.answer = found(other_macs=(OTHER_MAC,))
    recognition = scene.recognition(found=10)
    told(recognition.find(guest()))
    scene.mac = OTHER_MAC
    assert recognition.find(guest(), Connection()) == scene.neutron.answer


def test_one_look_for_each_connection(scene: Scene) -> None:
    """The neighbour table is looked at for the first request of a connection, on the interface of
    a link-local address, and again when what is known is another."""
    recognition = scene.recognition(found=10)
    told(recognition.find(guest()))
    assert scene.looks == []  # what has just been asked
    connection = Connection(scope=7)
    for _ in range(3):
        assert recognition.find(guest(), connection) == found()
    assert scene.looks == [(guest(), 7)]
    scene.clock.now += 5
    told(recognition.again(guest(), connection))
    scene.mac = OTHER_MAC
    assert isinstance(recognition.find(guest(), connection), Future)
    assert len(scene.looks) == 2


def test_a_proxys_connection_vouches_for_nobody(scene: Scene) -> None:
    """Where a connection may carry several guests' requests, each request is looked at."""
    recognition = scene.recognition(found=10)
    told(recognition.find(guest()))
    for _ in range(3):
        assert recognition.find(guest()) == found()
    assert len(scene.looks) == 3


def test_again_is_confirmed(scene: Scene) -> None:
    """What another connection has found out meanwhile is not told to one of another MAC."""
    recognition = scene.recognition(found=10)
    told(recognition.find(guest()))
    scene.mac = OTHER_MAC
    assert isinstance(recognition.again(guest(), Connection()), Future)


def test_a_second_where_no_table_is_seen(scene: Scene) -> None:
    """Behind another's proxy what was found counts for a second; who asks at the same time is
    asked about once."""
    scene.mac = None
    recognition = scene.recognition(found=10)
    told(recognition.find(guest()))
    scene.clock.now += 0.9
    assert recognition.find(guest()) == found()
    scene.clock.now += 0.2
    scene.neutron.goes_on.clear()
    waiting = [recognition.find(guest()) for _ in range(40)]
    scene.neutron.answer = found("two")
    scene.neutron.goes_on.set()
    assert len({told(one) for one in waiting}) == 1
    assert len(scene.neutron.asked) == 2


def away(scene: Scene, recognition: IdentityCache) -> None:
    """The guest was found, its time is over, and the resolver has just said that it is away."""
    told(recognition.find(guest()))
    scene.clock.now += 60
    scene.neutron.answer = AWAY
    assert told(recognition.find(guest())) == AWAY


def test_stale_while_away_and_the_mac_is_there(scene: Scene) -> None:
    """An expired answer counts while the resolver is away and the neighbour table shows the MAC;
    it says how old it is."""
    recognition = scene.recognition(found=10)
    told(recognition.find(guest()))
    scene.clock.now += 60
    assert recognition.stale(guest()) is None  # it may be asked
    away(scene, recognition)
    stale = recognition.stale(guest())
    assert stale is not None
    assert (stale.instance_id, stale.stale) == ("one", 60)
    assert recognition.find(guest()) == stale  # at once
    assert recognition.peek(guest()) is None  # its time is over
    assert recognition.counts().stale == 2


def test_stale_does_not_wait_for_the_resolver(scene: Scene) -> None:
    """Once the resolver is known to be away, guests that are confirmed do not wait for it, and one
    of them a second makes it be asked; a guest with another MAC waits."""
    recognition = scene.recognition(found=10)
    away(scene, recognition)
    scene.neutron.goes_on.clear()  # from here on it does not even say that it is away
    asked = recognition.counts().asked
    for later in (0.0, 0.5, 0.6):
        scene.clock.now += later
        stale = recognition.find(guest(), Connection())
        assert isinstance(stale, Found)
        assert stale.stale == int(60 + 0.5 * (later > 0) + 0.6 * (later == 0.6))
    assert recognition.counts().waiting == 1
    assert recognition.counts().asked - asked <= 2
    scene.mac = OTHER_MAC
    unknown = recognition.find(guest(), Connection())
    assert isinstance(unknown, Future)
    scene.neutron.goes_on.set()
    assert told(unknown) == AWAY


@pytest.mark.parametrize("mac", [OTHER_MAC, NO_ENTRY, None])
def test_never_stale_without_the_neighbour(scene: Scene, mac: str | None) -> None:
    """Another MAC at the address, none, or no neighbour table at all: an expired answer is none;
    and it is the first server's again when its MAC is back."""
    recognition = scene.recognition(found=10)
    away(scene, recognition)
    scene.mac = mac
    assert recognition.stale(guest()) is None
    assert told(recognition.find(guest())) == AWAY
    scene.mac = found().mac
    assert recognition.stale(guest()) is not None


def test_stale_has_an_end(scene: Scene) -> None:
    """Past its last term an answer is none, whatever the neighbour table shows; 0 means never."""
    for seconds in (50, 0):
        scene.neutron.answer = found()
        recognition = scene.recognition(found=10, stale=seconds)
        away(scene, recognition)
        assert recognition.stale(guest()) is None


def test_back_again(scene: Scene) -> None:
    """A stale answer makes the resolver be asked; when that is back, its answers count."""
    recognition = scene.recognition(found=10)
    away(scene, recognition)
    assert isinstance(recognition.find(guest()), Found)
    scene.neutron.answer = found("two")
    scene.clock.now += 2
    assert eventually(lambda: told(recognition.find(guest())) == found("two"))


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
    recognition.check_resolver()
    assert "RuntimeError" in str(recognition.trouble())
    scene.neutron.breaks = False
    recognition.check_resolver()
    assert recognition.trouble() is None
    assert recognition.counts().asked == 0


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
