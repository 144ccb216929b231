"""One process listens and tells the others; when it ends, another takes its place."""

import os
import socket
import threading
import uuid
from contextlib import contextmanager, suppress

import pytest

from firstlight.notifications.feed import Feed
from firstlight.notifications.news import LIMIT, Changed, Hearing, hearing, pack, unpack
from firstlight.notifications.one_per_host import _STRANGER, OnePerHost
from support.servers.databases import eventually


class Host:
    """Parts with one name, and the broker, as far as they know it."""

    def __init__(self) -> None:
        self.name = uuid.uuid4().hex
        self.tell = None  # of the one that listens
        self.listeners = 0
        self.most = 0
        self.parts: list[tuple[OnePerHost, list]] = []

    def part(self, tell=None) -> tuple[OnePerHost, list]:
        """One more process, and what it is told; "missed" where it may have missed some."""
        told: list = []
        part = OnePerHost(
            self.name, self.listen, tell or told.append, lambda: told.append("missed")
        )
        self.parts.append((part, told))
        part.start()
        return part, told

    @contextmanager
    def listen(self, tell):
        self.listeners += 1
        self.most = max(self.most, self.listeners)
        self.tell = tell
        tell(hearing(None))
        try:
            yield
        finally:
            self.listeners -= 1


@pytest.fixture
def host():
    host = Host()
    yield host
    for part, _ in host.parts:
        part.close()
    assert host.most <= 1


def has(told: list, *news) -> bool:
    return eventually(lambda: all(each in told for each in news))


def test_all_are_told_by_the_one_that_listens(host):
    """Three processes, one listener, everybody hears of each change."""
    parts = [host.part() for _ in range(3)]
    assert [part.listens for part, _ in parts] == [True, False, False]
    for n in range(50):
        host.tell(Changed(f"{n}", "versioned"))
    for _, told in parts:
        assert has(told, *(Changed(f"{n}", "versioned") for n in range(50)))
        assert "missed" not in told


def test_who_comes_later_learns_how_things_stand(host):
    """The first thing a process is told is whether notifications are heard."""
    host.part()
    host.tell(hearing("the broker is away"))
    _, told = host.part()
    assert told[0] == hearing("the broker is away")


def test_another_takes_the_place_of_one_that_ends(host):
    """Exactly one of those left; the others come to it, and know that they may have missed some."""
    first, _ = host.part()
    others = [host.part() for _ in range(2)]
    first.close()
    assert eventually(lambda: sum(part.listens for part, _ in others) == 1)
    [(_, told)] = [each for each in others if not each[0].listens]
    assert has(told, "missed")
    host.tell(Changed("after", "versioned"))
    for _, told in others:
        assert has(told, Changed("after", "versioned"))


def test_one_that_does_not_keep_up_holds_up_nobody(host):
    """It is cut off, comes back, and starts afresh."""
    _, quick = host.part()
    hold, slow = threading.Event(), []

    def stuck(news):
        slow.append(news)
        assert isinstance(news, Hearing) or hold.wait(60)

    _, told = host.part(stuck)
    for n in range(20_000):
        host.tell(Changed(f"{n:030}", "versioned"))
    assert has(quick, Changed(f"{19_999:030}", "versioned"))
    hold.set()
    assert has(told, "missed")
    host.tell(Changed("after", "versioned"))
    assert has(slow, Changed("after", "versioned"))


def test_one_that_did_not_keep_up_and_then_listens_starts_afresh_too(host):
    """It was cut off, and the one it would have come back to has ended meanwhile."""
    first, _ = host.part()
    hold, slow = threading.Event(), []

    def stuck(news):
        slow.append(news)
        assert isinstance(news, Hearing) or hold.wait(60)

    second, told = host.part(stuck)
    for n in range(20_000):
        host.tell(Changed(f"{n:030}", "versioned"))
    first.close()
    hold.set()
    assert eventually(lambda: second.listens)
    assert has(told, "missed")


def test_news_of_another_version_drop_what_is_known(host):
    """During an upgrade old and new processes may meet."""
    part, _ = host.part()
    _, told = host.part()
    part._thread.join(0)
    host.tell(Changed("before", "versioned"))
    assert has(told, Changed("before", "versioned"))
    follower = host.parts[1][0]
    follower._take(b"\x01")
    assert has(told, "missed")


def test_a_fault_of_a_listener_to_the_news_ends_nothing(host):
    """The part is taken again, and what may have been missed is."""
    told = []

    def faulty(news):
        told.append(news)
        if news == Changed("fault", "versioned"):
            raise RuntimeError("says the test")

    host.part()
    _, missed = host.part(faulty)
    host.tell(Changed("fault", "versioned"))
    assert has(missed, "missed")
    host.tell(Changed("after", "versioned"))
    assert has(told, Changed("after", "versioned"))


def test_a_fault_where_some_were_missed_ends_nothing_either(host):
    """If dropping what is known fails, it is tried again, and the next news arrive."""
    told, faults = [], []

    def faulty():
        faults.append(1)
        if len(faults) == 1:
            raise RuntimeError("says the test")

    first, _ = host.part()
    host.part()
    last = OnePerHost(host.name, host.listen, told.append, faulty)
    host.parts.append((last, told))
    last.start()
    first.close()
    assert eventually(lambda: len(faults) > 1)
    assert eventually(lambda: last.listens or last._line is not None)
    host.tell(Changed("after", "versioned"))
    assert eventually(lambda: Changed("after", "versioned") in told or repeat(host, told))


def repeat(host: Host, told: list) -> bool:
    """It may come back after what was told: tell it again."""
    host.tell(Changed("after", "versioned"))
    return Changed("after", "versioned") in told


@pytest.mark.skipif(os.geteuid() != 0, reason="another user is needed to be a stranger")
def test_a_place_that_a_stranger_holds_is_not_believed(host):
    """Another user's process under our name tells us nothing; it is said that nothing is heard."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as place:
        place.bind(f"\0firstlight/{os.geteuid()}/{host.name}")
        os.seteuid(65534)  # a peer sees the credentials of who called listen()
        try:
            place.listen(8)
        finally:
            os.seteuid(0)
        _, told = host.part()
        line, _ = place.accept()
        with line, suppress(BrokenPipeError):
            line.send(pack(Changed("from a stranger", "versioned")))
        assert has(told, hearing(_STRANGER))
    assert Changed("from a stranger", "versioned") not in told


def test_a_long_reason_fits():
    """Whatever a broker says, it is told in one piece."""
    for letter in "xé\N{PILE OF POO}":
        news = hearing(letter * 10_000)
        assert unpack(pack(news)) == news
        assert len(pack(news)) <= LIMIT


def test_a_feed_counts_and_forwards():
    """Changes by form, times some may have been missed, and why nothing is heard."""
    changed = []
    feed = Feed(changed.append, lambda _tell, _miss: None)  # type: ignore[return-value]  # never started
    assert (feed.trouble(), feed.hears) == (None, False)
    feed.tell(hearing("away"))
    assert (feed.trouble(), feed.hears) == ("away", False)
    feed.tell(hearing(None))
    assert (feed.trouble(), feed.hears) == (None, True)
    changed.clear()
    feed.tell(Changed("a", "versioned"))
    feed.tell(Changed("a", "unversioned"))
    before = feed.missed
    feed.miss()
    assert changed == ["a", "a", None]
    assert feed.heard == {"versioned": 1, "unversioned": 1}
    assert feed.missed == before + 1


def test_what_a_broker_may_have_lost_while_it_was_away_is_read_anew():
    """Queues do not outlive RabbitMQ's own restart; a beginning is no return."""
    changed = []
    feed = Feed(changed.append, lambda _tell, _miss: None)  # type: ignore[return-value]  # never started
    feed.tell(Hearing(hears=False))
    feed.tell(hearing(None))
    assert changed == []
    feed.tell(hearing("away"))
    feed.tell(hearing(None))
    feed.tell(hearing(None))
    assert (changed, feed.missed) == ([None], 1)
