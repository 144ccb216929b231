"""The metadata service while its source changes, is away, or is asked too much."""

import threading

from msgspec import structs

from support.servers.databases import eventually
from support.servers.metadata_service import NAME, A, B, Bench, ask, begin, signed, told


def test_a_change_is_seen_at_once(bench: Bench) -> None:
    """With the store's watcher, a rebuilt server's name, and its end, are seen early."""
    service = bench.service(ttl=3600)
    stop = bench.shelf.watch(service.changed)
    assert ask(service, NAME, signed()).body == b"a.novalocal"
    bench.store.revise(A, lambda old: structs.replace(old, hostname="new"))
    assert eventually(lambda: ask(service, NAME, signed()).body == b"new.novalocal")
    bench.store.remove(A)
    assert eventually(lambda: ask(service, NAME, signed()).status == 404)
    stop()


def test_a_look_up_that_a_change_overtakes_is_not_kept(bench: Bench) -> None:
    """What was read before a change and arrives after it is read again."""
    bench.shelf.hold = threading.Event()
    service = bench.service()
    reply = begin(service, NAME, signed())
    assert eventually(lambda: bench.shelf.reads == 1)
    bench.store.revise(A, lambda old: structs.replace(old, hostname="new"))
    service.changed(A)
    bench.shelf.hold.set()
    assert told(reply).body == b"new.novalocal"


def test_a_source_that_is_away_leaves_what_is_known_and_says_so(bench: Bench) -> None:
    """Past its time a known instance is served as stale, with its age; back, it is fresh again."""
    service = bench.service(ttl=15, stale_limit=60)
    ask(service, NAME, signed())
    bench.shelf.away = True
    bench.seconds += 20
    stale = ask(service, NAME, signed())
    assert (stale.status, stale.body) == (200, b"a.novalocal")
    assert stale.headers == ((b"Firstlight-Stale", b"instance; age=20"),)
    bench.shelf.away = False
    bench.seconds += 2
    fresh = eventually(lambda: ask(service, NAME, signed()).headers == ())
    assert fresh


def test_a_source_that_is_away_and_nothing_known(bench: Bench) -> None:
    """503 and when to come back, not the 404 that means nobody."""
    bench.shelf.away = True
    response = ask(bench.service(), NAME, signed())
    assert (response.status, response.headers) == (503, ((b"Retry-After", b"1"),))


def test_stale_has_an_end(bench: Bench) -> None:
    """What is older than the limit is not served any more."""
    service = bench.service(ttl=15, stale_limit=60)
    ask(service, NAME, signed())
    bench.shelf.away = True
    bench.seconds += 76
    assert ask(service, NAME, signed()).status == 503


def test_who_has_an_address_is_never_stale(bench: Bench) -> None:
    """An address moves from one server to another, so an old answer could be another's data."""
    service = bench.service(signed=False, ttl=15, stale_limit=60)
    assert ask(service).body == b"a.novalocal"
    bench.shelf.away = True
    bench.seconds += 20
    assert ask(service).status == 503


def test_more_than_the_pool_holds_is_503(bench: Bench) -> None:
    """Look-ups past the pool's size are told to come back; what is known goes on being told."""
    service = bench.service(threads=1, waiting=1)
    ask(service, NAME, signed(B))
    assert eventually(lambda: bench.idle)  # its thread is free a moment after the answer
    bench.shelf.hold = threading.Event()
    uuids = [f"00000000-0000-4000-8000-0000000002{number:02x}" for number in range(4)]
    replies = [begin(service, "/openstack", signed(uuid)) for uuid in uuids]
    assert ask(service, NAME, signed(B)).body == b"b.novalocal"
    bench.shelf.hold.set()
    assert [told(reply).status for reply in replies] == [404, 404, 503, 503]
    assert told(replies[3]).headers == ((b"Retry-After", b"1"),)
