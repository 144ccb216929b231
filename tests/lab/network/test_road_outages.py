"""The whole road under failure, beside real Nova: each dependency stopped, and back.

What is known keeps being served, the rest is a clear error, nothing needs a restart. Where ours
answers otherwise than Nova does cold, metadata-api §8 allows it:

* 200 for Nova's 500: "answers from stored data when Neutron is down", and what is known;
* 503 with Retry-After for Nova's 500: "for an outage with nothing known".
"""

from collections.abc import Iterator

import pytest

from lab.network.outages import (
    GROUPS,
    HERE,
    META_DATA,
    NEW_HERE,
    NEW_THERE,
    THERE,
    VENDOR,
    Pair,
    World,
    ask,
    ask_as_balancer,
    readyz,
)
from support.servers.databases import eventually

PATIENCE = 60.0  # seconds for a dependency's return to be noticed, on a busy machine


@pytest.fixture(autouse=True)
def all_is_well(pair: Pair) -> Iterator[None]:
    """Before each test and after it, whatever was away: both answer everything, ours is ready."""
    assert eventually(lambda: well(pair), PATIENCE), readyz(pair.ours)
    yield
    assert eventually(lambda: well(pair), PATIENCE), readyz(pair.ours)


def well(pair: Pair) -> bool:
    """The two servers that guests know answer as they should, and nothing is said to be away."""
    known = [
        pair.statuses(kind, path) for kind in (HERE, THERE) for path in (META_DATA, GROUPS, VENDOR)
    ]
    status, said = readyz(pair.ours)
    return set(known) == {(200, 200)} and (status, said["degraded"]) == (200, [])


def degraded(pair: Pair, name: str) -> bool:
    """Whether ours is ready and says that `name` is away."""
    status, said = readyz(pair.ours)
    return status == 200 and name in said["degraded"]


def test_all_is_the_same_when_all_is_well(pair: Pair) -> None:
    """Groups and vendor data as Nova has them, through real Neutron and with a real token."""
    for path in (GROUPS, VENDOR):
        assert ask(pair.ours.port, HERE, path) == ask(pair.novas, HERE, path)
    assert ask(pair.ours.port, HERE, GROUPS) == (200, b"web")
    assert ask(pair.ours.port, HERE, VENDOR) == (200, b'{"site": {"rack": 7}}')


def test_neutron_stopped(world: World, pair: Pair) -> None:
    """Documents go on, known groups too; Nova answers 500 to everything."""
    world.cloud.neutron.stop()
    try:
        assert pair.statuses(HERE) == (500, 200)
        assert pair.statuses(NEW_HERE[0]) == (500, 200)
        assert ask(pair.ours.port, HERE, GROUPS) == (200, b"web")
        assert pair.statuses(NEW_HERE[0], GROUPS) == (500, 503)
        assert degraded(pair, "neutron")
        assert ask_as_balancer(pair.ours.port) == 503
        assert ask_as_balancer(pair.novas) in (400, 500, None)
    finally:
        world.cloud.neutron.start()
    assert eventually(lambda: pair.statuses(NEW_HERE[0], GROUPS) == (200, 200), PATIENCE)


def test_one_cells_database_stopped(world: World, pair: Pair) -> None:
    """Its known servers are answered, its others are to come back; the other cell's do not care."""
    world.mariadb.stop()
    try:
        assert eventually(lambda: pair.statuses(NEW_THERE[0]) == (500, 503), PATIENCE)
        assert pair.statuses(THERE) == (500, 200)
        assert pair.statuses(HERE) == (200, 200)
        assert degraded(pair, "cell cell2")
    finally:
        world.mariadb.start()
    assert eventually(lambda: pair.statuses(NEW_THERE[0]) == (200, 200), PATIENCE)


def test_one_cells_database_hangs(world: World, pair: Pair) -> None:
    """A server that accepts and says nothing costs its own cell's guests an error, not a wait."""
    world.mariadb.pause()
    try:
        assert eventually(lambda: ask(pair.ours.port, NEW_THERE[1])[0] == 503, PATIENCE)
        assert eventually(lambda: ask(pair.ours.port, THERE)[0] == 200, PATIENCE)
        assert ask(pair.ours.port, HERE)[0] == 200
        assert degraded(pair, "cell cell2")
    finally:
        world.mariadb.resume()


def test_keystone_stopped(world: World, pair: Pair) -> None:
    """Who has tokens goes on."""
    world.cloud.keystone.stop()
    try:
        for path in (META_DATA, GROUPS, VENDOR):
            assert ask(pair.ours.port, HERE, path)[0] == 200
        assert ask(pair.ours.port, NEW_HERE[1])[0] == 200
    finally:
        world.cloud.keystone.start()


def test_started_while_keystone_is_stopped(world: World, pair: Pair) -> None:
    """Who never had a token serves what needs none, says who is away, and recovers by itself."""
    world.cloud.keystone.stop()
    try:
        with world.ours(world.directory / "second") as second:
            late = Pair(pair.novas, second)
            assert ask(second.port, HERE)[0] == 200
            assert ask(second.port, HERE, VENDOR) == (200, b'{"site": {}}')
            assert ask(second.port, HERE, GROUPS)[0] == 503
            assert eventually(lambda: degraded(late, "neutron"), PATIENCE)
            assert eventually(lambda: degraded(late, "keystone"), PATIENCE)
            world.cloud.keystone.start()
            assert eventually(lambda: well(late), PATIENCE), readyz(second)
    finally:
        world.cloud.keystone.stop()
        world.cloud.keystone.start()


def test_memcached_stopped(world: World, pair: Pair) -> None:
    """The shared cache is a comfort: without it the databases are read."""
    world.memcached.stop()
    try:
        for kind in (HERE, THERE, NEW_HERE[2], NEW_THERE[2]):
            assert pair.statuses(kind) == (200, 200)
        assert eventually(
            lambda: degraded(pair, f"shared cache 127.0.0.1:{world.memcached.port}"), PATIENCE
        )
    finally:
        world.memcached.start()
