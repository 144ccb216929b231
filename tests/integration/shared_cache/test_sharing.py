"""What one process reads the others need not read, and nothing stale comes back from there."""

import logging
import pickle
import time

import pytest

from firstlight.instance import Instance
from firstlight.shared_cache.cache import _record_key
from firstlight.sources import SourceUnavailable
from support.servers.databases import eventually

A = "00000000-0000-4000-8000-00000000000a"
TTL = 15  # [api] metadata_cache_expiration


def server(name: str = "a", uuid: str = A, **fields) -> Instance:
    return Instance(uuid=uuid, project_id="p", name=name, hostname=name, **fields)


class Source:
    """A source that counts."""

    def __init__(self, found: Instance | None = None) -> None:
        self.found = found or server()
        self.reads = 0

    def __call__(self, _uuid: str) -> Instance | None:
        self.reads += 1
        return self.found


def forbidden(_uuid: str) -> Instance:
    pytest.fail("the source is asked")


def test_one_reads_for_all(bed):
    """The second process gets what the first has read, and how old it is."""
    first, second = bed.service(), bed.service()
    assert first.instance(A, Source()) == (server(), 0.0)
    bed.wall.now += 4
    assert second.instance(A, forbidden) == (server(), 4.0)
    assert second.outcomes == {"found": 1}


def test_a_record_is_as_old_as_its_reading(bed):
    """What was read a TTL ago is read anew, however often it was asked for."""
    first, second = bed.service(), bed.service()
    first.instance(A, Source())
    for _ in range(4):
        bed.wall.now += TTL / 4
        second.instance(A, Source())
    assert second.outcomes["found"] == 3
    assert second.outcomes["expired"] == 1


def test_a_reading_counts_from_its_beginning(bed):
    """A source that takes its time makes the record older, not younger."""

    def slow(_uuid: str) -> Instance:
        bed.wall.now += 6
        return server()

    first, second = bed.service(), bed.service()
    first.instance(A, slow)
    assert second.instance(A, forbidden) == (server(), 6.0)


def test_a_record_of_the_future_does_not_count(bed):
    """A host whose clock is ahead cannot make a record live longer."""
    ahead, here = bed.service(wall=lambda: bed.wall.now + 10), bed.service()
    ahead.instance(A, Source())
    source = Source()
    here.instance(A, source)
    assert source.reads == 1


def test_what_is_forgotten_does_not_come_back(bed):
    """After a change is told of, nobody gets what was read before it."""
    first, second = bed.service(), bed.service()
    first.instance(A, Source(server("old")))
    second.forget(A)
    assert first.instance(A, Source(server("new"))) == (server("new"), 0.0)
    assert second.instance(A, forbidden) == (server("new"), 0.0)


def test_a_reading_that_a_change_overtook_is_not_shared(bed):
    """Read before the change, put there after it: it does not count."""
    first, second = bed.service(), bed.service()

    def overtaken(_uuid: str) -> Instance:
        second.forget(A)
        return server("old")

    first.instance(A, overtaken)
    assert second.instance(A, Source(server("new"))) == (server("new"), 0.0)
    assert second.outcomes["overtaken"] == 1


def test_nobody_and_failed_are_not_shared(bed):
    """Each process finds out for itself that there is no such instance, or nobody to ask."""
    first, second = bed.service(), bed.service()

    def away(_uuid: str) -> Instance:
        raise SourceUnavailable("away")

    with pytest.raises(SourceUnavailable):
        first.instance(A, away)
    assert first.instance(A, lambda _uuid: None) == (None, 0.0)
    assert second.instance(A, Source()) == (server(), 0.0)


def test_a_record_that_is_too_large_is_not_shared(bed):
    """It costs a look-up by each process, not an error."""
    first, second = bed.service(), bed.service()
    huge = Source(server(metadata={"k": "v" * 1_100_000}))
    assert first.instance(A, huge) == (huge.found, 0.0)
    assert second.instance(A, huge) == (huge.found, 0.0)
    assert first.outcomes["not-put"] == 1
    assert huge.reads == 2


@pytest.mark.parametrize("odd", ["A" * 236, "a b", "a\r\nb", "é" * 40, "\x7f"])
def test_a_key_that_no_server_takes(bed, odd):
    """It is a miss for whoever asks it, and the cache goes on for everybody else."""
    cache = bed.service()
    cache.instance(A, Source())
    for _ in range(3):
        cache.instance(odd, lambda _uuid: None)
        assert cache.instance(A, forbidden) == (server(), 0.0)
    assert all(place.trouble() is None for place in cache.places)


@pytest.mark.parametrize(
    "data",
    [b"", b"x", b"\0" * 5000, pickle.dumps({"a": 1}), b"x" * 1_000_000],
    ids=["empty", "short", "long", "pickle", "huge"],
)
def test_what_is_not_ours_is_a_miss(bed, data, caplog):
    """Bytes of somebody else are not believed, are said in the log, and are replaced."""
    first, second = bed.service(), bed.service()
    first.instance(A, Source())
    place = first._places[0]
    assert place.set(_record_key(A), data, 60)
    assert second.instance(A, Source()) == (server(), 0.0)
    assert second.outcomes["refused"] + second.outcomes["missed"] == 1
    if data:
        assert f"of instance {A} is not used" in caplog.text
    assert first.instance(A, forbidden)[0] == server()


def test_another_secret_is_another_world(bed, caplog):
    """Who may write to the cache and does not know the secret tells guests nothing."""
    stranger, ours = bed.service(secret="guessed"), bed.service()
    stranger.instance(A, Source(server("evil")))
    assert ours.instance(A, Source(server("good"))) == (server("good"), 0.0)
    assert "not signed with our secret" in caplog.text


def test_without_the_server_everything_is_answered(bed, caplog):
    """It is known to be away, the log is not full of it, and when it is back it is used again."""
    caplog.set_level(logging.INFO)
    service = bed.service()
    service.instance(A, Source())
    bed.daemon.stop()
    for _ in range(20):
        assert service.instance(A, Source()) == (server(), 0.0)
    [place] = service.places
    assert place.name in place.trouble()
    bed.daemon.start()

    def shared() -> bool:
        service.instance(A, Source())
        return service.outcomes["found"] > 0

    assert eventually(shared, 30)
    assert place.trouble() is None
    assert [r for r in caplog.records if r.name.startswith("firstlight.shared_cache.p")] == []


def test_a_server_that_hangs_is_waited_for_once(bed):
    """The next look-ups do not wait for it: they are done before it would have timed out once."""
    service = bed.service()
    service.instance(A, Source())
    bed.daemon.pause()
    try:
        assert service.instance(A, Source()) == (server(), 0.0)
        [place] = service.places
        assert "127.0.0.1" in place.trouble()
        asked = []
        real = place._server.get
        place._server.get = lambda keys: asked.append(keys) or real(keys)
        place._breaker._until = time.monotonic() + 60  # however slow this machine is
        for _ in range(50):
            service.instance(A, Source())
        assert asked == []
    finally:
        bed.daemon.resume()


def test_a_change_while_the_server_is_away_is_not_undone_when_it_is_back(bed):
    """What it still has of before is not believed until it must have expired."""
    first, second = bed.service(), bed.service()
    first.instance(A, Source(server("old")))
    bed.daemon.pause()
    try:
        second.forget(A)
    finally:
        bed.daemon.resume()
    [place] = second.places
    assert eventually(lambda: place.probe() or place.trouble() is None, 30)
    assert second.instance(A, Source(server("new"))) == (server("new"), 0.0)


@pytest.mark.parametrize("bed", ["oslo_cache.memcache_pool"], indirect=True)
def test_a_pickle_is_never_loaded(bed):
    """Data that would run code when unpickled does not, under whatever flags it is stored."""
    from pymemcache.client.base import Client

    class Bomb:
        def __reduce__(self):
            return (pytest.fail, ("it was unpickled",))

    service = bed.service()
    service.instance(A, Source())
    client = Client(("127.0.0.1", bed.daemon.port))
    for flags in (1, 2, 3, 16):
        client.set(_record_key(A), pickle.dumps(Bomb()), flags=flags, noreply=False)
        assert service.instance(A, Source()) == (server(), 0.0)
    client.close()


def test_a_probe_asks_now(bed):
    """What watches over dependencies learns that it is back before any guest asks."""
    service = bed.service()
    [place] = service.places
    bed.daemon.stop()
    place.probe()
    assert place.trouble() is not None
    bed.daemon.start()
    place.probe()
    assert place.trouble() is None
