"""What Memory promises: shared look-ups, honest negatives, stale only while a source is away."""

import threading
from collections.abc import Callable
from concurrent.futures import Future

import pytest

from firstlight.concurrency.workers import Overloaded, Workers
from firstlight.metadata.cache.cache import Cache, CacheEntry
from firstlight.sources import SourceUnavailable


class Shelf:
    """A source that counts, can be away, and can hold a look-up until it is told to go on."""

    def __init__(self) -> None:
        self.values: dict[str, str] = {}
        self.asked: list[str] = []
        self.away = False
        self.hold: threading.Event | None = None
        self.reached = threading.Event()

    def look_up(self, key: str) -> str | None:
        self.asked.append(key)
        value = self.values.get(key)
        self.reached.set()
        if self.hold is not None:
            assert self.hold.wait(10)
        if self.away:
            raise SourceUnavailable("the shelf is away")
        return value


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def pool():
    pool = Workers("test", threads=4, waiting=4)
    yield pool
    pool.close()


@pytest.fixture
def make(shelf: Shelf, clock: Clock, pool: Workers) -> Callable[..., Cache[str]]:
    def make(**changes: float) -> Cache[str]:
        options = {"ttl": 15, "negative_ttl": 1, "stale_limit": 60, "limit": 1_000_000} | changes
        return Cache(shelf.look_up, pool, clock=clock, size=len, **options)

    return make


def now(found: CacheEntry[str] | Future[CacheEntry[str]]) -> CacheEntry[str]:
    return found.result(10) if isinstance(found, Future) else found


def test_a_value_is_looked_up_once_within_its_ttl(make, shelf, clock):
    """Within the TTL the source is asked once; after it, again."""
    memory = make()
    shelf.values["a"] = "1"
    assert now(memory.get("a")).value == "1"
    clock.now += 14.9
    assert memory.peek("a").value == "1"
    assert shelf.asked == ["a"]
    clock.now += 0.2
    assert memory.peek("a") is None
    now(memory.get("a"))
    assert shelf.asked == ["a", "a"]


def test_many_who_ask_at_once_share_one_look_up(make, shelf):
    """A hundred requests for a cold key make one look-up."""
    memory = make()
    shelf.values["a"] = "1"
    shelf.hold = threading.Event()
    waiting = [memory.get("a") for _ in range(100)]
    shelf.hold.set()
    assert {now(found).value for found in waiting} == {"1"}
    assert shelf.asked == ["a"]


def test_nobody_is_remembered_briefly(make, shelf, clock):
    """A key that nobody has is asked for again after the negative TTL, not before."""
    memory = make()
    assert now(memory.get("x")).value is None
    assert memory.peek("x").value is None
    clock.now += 1.1
    shelf.values["x"] = "born"
    assert now(memory.get("x")).value == "born"


def test_without_ttl_nothing_is_kept(make, shelf):
    """metadata_cache_expiration=0 neither stores nor uses, for found and not found alike."""
    memory = make(ttl=0)
    shelf.values["a"] = "1"
    now(memory.get("a"))
    shelf.values["a"] = "2"
    assert now(memory.get("a")).value == "2"
    assert now(memory.get("x")).value is None
    assert len(memory) == 0


def test_a_look_up_overtaken_by_a_change_does_not_count(make, shelf):
    """What was read before an invalidation is neither handed out nor kept."""
    memory = make()
    shelf.values["a"] = "old"
    shelf.hold = threading.Event()
    waiting = memory.get("a")
    assert shelf.reached.wait(10)
    shelf.values["a"] = "new"
    memory.forget("a")
    shelf.hold.set()
    assert now(waiting).value == "new"
    assert memory.peek("a").value == "new"


def test_a_forgotten_value_is_never_served_again(make, shelf):
    """A change that is known of drops the value even when the source goes away right after."""
    memory = make()
    shelf.values["a"] = "old"
    now(memory.get("a"))
    memory.forget("a")
    shelf.away = True
    with pytest.raises(SourceUnavailable):
        now(memory.get("a"))


def test_stale_beats_broken_while_the_source_is_away(make, shelf, clock):
    """Past its TTL a value is served with the reason while the source is away, then fresh again."""
    memory = make()
    shelf.values["a"] = "1"
    now(memory.get("a"))
    clock.now += 20
    shelf.away = True
    stale = now(memory.get("a"))
    assert (stale.value, stale.problem) == ("1", "the shelf is away")
    assert memory.away == "the shelf is away"
    shelf.away = False
    clock.now += 1.1
    now(memory.get("a"))  # may still be the stand-in; the retry runs behind it
    memory.forget(None)
    fresh = now(memory.get("a"))
    while fresh.problem is not None:
        clock.now += 1.1
        fresh = now(memory.get("a"))
    assert memory.away is None


def test_known_to_be_away_nobody_waits(make, shelf, clock):
    """Once the source is known to be away, a stale value is there at once."""
    memory = make()
    shelf.values |= {"a": "1", "b": "2"}
    now(memory.get("a"))
    now(memory.get("b"))
    clock.now += 20
    shelf.away = True
    now(memory.get("a"))
    shelf.hold = threading.Event()
    try:
        found = memory.get("b")
        assert isinstance(found, CacheEntry)
        assert found.problem
    finally:
        shelf.hold.set()


def test_stale_has_a_limit(make, shelf, clock):
    """Past the limit a value is not served, however long the source stays away."""
    memory = make(stale_limit=60)
    shelf.values["a"] = "1"
    now(memory.get("a"))
    shelf.away = True
    clock.now += 15 + 61
    with pytest.raises(SourceUnavailable):
        now(memory.get("a"))


def test_a_value_that_another_read_is_as_old_as_that(shelf, clock, pool):
    """Its TTL counts from when it was read, wherever that was."""
    memory = Cache(
        shelf.look_up,
        pool,
        clock=clock,
        size=len,
        ttl=15,
        negative_ttl=1,
        stale_limit=60,
        limit=1_000_000,
        age=float,
    )
    shelf.values["a"] = "10"  # seconds
    found = now(memory.get("a"))
    assert (found.built, found.expires) == (clock.now - 10, clock.now + 5)
    clock.now += 4.9
    assert memory.peek("a") is found
    clock.now += 0.1
    assert memory.peek("a") is None


def test_identity_is_never_stale(make, shelf, clock):
    """With a limit of 0 there is no stand-in."""
    memory = make(stale_limit=0)
    shelf.values["a"] = "1"
    now(memory.get("a"))
    clock.now += 15.1
    shelf.away = True
    with pytest.raises(SourceUnavailable):
        now(memory.get("a"))


def test_memory_is_bounded_and_keeps_what_is_used(make, shelf):
    """Past the limit the oldest goes first, unless it was used since."""
    memory = make(limit=4 * 300)
    for key in "abcd":
        shelf.values[key] = "x" * 40
        now(memory.get(key))
    assert memory.peek("a") is not None
    shelf.values["e"] = "x" * 40
    now(memory.get("e"))
    assert memory.peek("a") is not None
    assert memory.peek("b") is None
    assert memory.bytes <= 4 * 300


def test_growth_counts(make, shelf):
    """What is rendered later counts against the limit."""
    memory = make(limit=2000)
    for key in "ab":
        shelf.values[key] = key
        now(memory.get(key))
    memory.grown("b", 1800)
    assert memory.peek("a") is None
    assert memory.bytes <= 2257


def test_a_full_pool_says_so_and_leaves_nothing_behind(make, shelf):
    """With the pool full a new key is refused at once, and asked again later it is looked up."""
    memory = make()
    shelf.hold = threading.Event()
    waiting = [memory.get(str(number)) for number in range(8)]
    with pytest.raises(Overloaded):
        memory.get("one more")
    shelf.hold.set()
    for found in waiting:
        now(found)
    assert now(memory.get("one more")).value is None


def test_a_bug_in_a_look_up_reaches_whoever_waits(make, shelf, monkeypatch):
    """An unexpected exception is passed on and the key is not stuck."""
    memory = make()
    monkeypatch.setattr(shelf, "values", None)
    with pytest.raises(AttributeError):
        now(memory.get("a"))
    monkeypatch.setattr(shelf, "values", {"a": "1"})
    assert now(memory.get("a")).value == "1"
