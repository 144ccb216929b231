"""Several stores, threads and processes on one database."""

import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import msgspec
import pytest

from firstlight.sources.store import RevisionConflict, Store, changes
from support.cloud.store_samples import server, uuid
from support.servers.databases import eventually

OpenStore = Callable[..., Store]

# Adds instances START, START+1, ...; each is acknowledged on standard output after its commit.
_ADDER = """
import sys
from firstlight.instance import Instance
from firstlight.sources.store import Store

url, start, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
store = Store.open(url)
for number in range(start, start + count):
    uuid = f"00000000-0000-4000-8000-{number:012x}"
    image = f"00000000-0000-4000-8000-{number // 4:012x}"
    added = store.add(
        Instance(uuid=uuid, project_id="p", name="n", hostname="h", image_id=image)
    )
    print(uuid, added.ec2_ids.instance, flush=True)
"""


def _adder(url: str, start: int, count: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", _ADDER, url, str(start), str(count)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_a_store_hears_of_another_s_changes(url: str, open_store: OpenStore) -> None:
    """Each add, update, password and removal is told, by UUID, in order."""
    heard: list[str | None] = []
    reader, writer = open_store(url), open_store(url)
    reader.watch(heard.append)
    writer.add(server(1))
    assert eventually(lambda: heard == [uuid(1)])
    writer.add(server(2))
    writer.update(server(1, name="db"))
    assert eventually(lambda: heard[1:] == [uuid(2), uuid(1)])
    writer.set_password(uuid(2), "x")
    assert eventually(lambda: heard[3:] == [uuid(2)])
    writer.remove(uuid(1))
    assert eventually(lambda: heard[4:] == [uuid(1)])
    assert reader.instance(uuid(1)) is None
    assert reader.healthy() is None


def test_a_stopped_watch_is_silent(store: Store) -> None:
    """After its stop a listener hears nothing; others do; a new one can be had."""
    first: list[str | None] = []
    second: list[str | None] = []
    stop_first, stop_second = store.watch(first.append), store.watch(second.append)
    stop_first()
    store.add(server(1))
    assert eventually(lambda: second == [uuid(1)])
    stop_second()
    store.add(server(2))
    third: list[str | None] = []
    store.watch(third.append)
    store.add(server(3))
    assert eventually(lambda: third == [uuid(3)])
    assert (first, second) == ([], [uuid(1)])


def test_a_failing_listener_does_not_end_the_news(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    """It is logged, and everybody is told that anything may have changed."""
    heard: list[str | None] = []

    def fail_once(changed: str | None) -> None:
        if changed is not None:
            raise RuntimeError(changed)

    store.watch(fail_once)
    store.watch(heard.append)
    store.add(server(1))
    assert eventually(lambda: heard == [None])
    assert "listener" in caplog.text
    store.remove(uuid(1))


def test_who_is_far_behind_is_told_that_anything_changed(
    url: str, open_store: OpenStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The log is bounded; a reader whose place in it is gone forgets all it knows."""
    monkeypatch.setattr(changes, "KEPT", 5)
    heard: list[str | None] = []
    reader, writer = open_store(url), open_store(url)
    writer.add(server(0))
    reader.watch(heard.append)
    writer.add_all([server(number) for number in range(1, 20)])
    assert eventually(lambda: heard == [None])
    writer.add(server(20))
    assert eventually(lambda: heard == [None, uuid(20)])


def test_concurrent_adds_lose_nothing(url: str, open_store: OpenStore) -> None:
    """Two processes and two threads add at once: every id is there, every number is unique."""
    processes = [_adder(url, start, 20) for start in (1000, 2000)]
    store = open_store(url)
    with ThreadPoolExecutor(2) as pool:
        added = [
            one.uuid for one in pool.map(lambda n: store.add(server(n, image_id="")), range(1, 41))
        ]
    for process in processes:
        output, _ = process.communicate(timeout=60)
        assert process.returncode == 0
        added += [line.split()[0] for line in output.splitlines()]
    stored = store.list()
    assert sorted(one.uuid for one in stored) == sorted(added)
    assert len(stored) == 80
    numbers = sorted(one.ec2_ids.instance for one in stored if one.ec2_ids)
    assert numbers == list(range(1, 81))


def test_concurrent_revisions_lose_nothing(store: Store) -> None:
    """Threads that each add a key of metadata end with all keys; a named revision wins once."""
    store.add(server(1))

    def set_key(number: int) -> None:
        store.revise(
            uuid(1),
            lambda old: msgspec.structs.replace(old, metadata=old.metadata | {f"k{number}": "v"}),
        )

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(set_key, range(12)))
    found = store.read(uuid(1))
    assert found is not None
    assert found.revision == 13
    assert len(found.instance.metadata) == 12

    barrier = threading.Barrier(4)

    def win(number: int) -> bool:
        barrier.wait()
        try:
            store.update(server(1, name=f"n{number}"), revision=13)
        except RevisionConflict:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(win, range(4))) == 1


def test_a_killed_writer_loses_no_acknowledged_instance(url: str, open_store: OpenStore) -> None:
    """kill -9 in a loop of adds: what was acknowledged is whole, nothing is there by half."""
    acknowledged: dict[str, int] = {}
    for round_ in range(3):
        with _adder(url, 1000 * round_, 1000) as process:
            assert process.stdout is not None
            lines = [process.stdout.readline() for _ in range(8)]
            process.kill()
            lines += process.stdout.readlines()
        whole = (line.split() for line in lines if line.endswith("\n"))
        acknowledged |= {name: int(number) for name, number in whole}
    assert len(acknowledged) >= 24
    store = open_store(url)
    stored = {one.uuid: one for one in store.list()}
    assert acknowledged.keys() <= stored.keys()
    numbers = {name: one.ec2_ids.instance for name, one in stored.items() if one.ec2_ids}
    assert numbers.items() >= acknowledged.items()
    assert len(set(numbers.values())) == len(stored)
    assert store.add(server(0xFFFFFF)).ec2_ids is not None


def test_processes_that_start_at_once_make_the_tables_once(url: str, open_store: OpenStore) -> None:
    """Four first users of an empty database all succeed."""
    processes = [_adder(url, 10 * number, 1) for number in range(4)]
    assert [process.wait(60) for process in processes] == [0, 0, 0, 0]
    for process in processes:
        assert process.stdout is not None
        process.stdout.close()
    assert len(open_store(url).list()) == 4
