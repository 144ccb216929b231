"""Databases that are away, hang, are replaced or are not ours."""

import os
import sqlite3
import stat
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Pool, event

from firstlight.sources import SourceUnavailable
from firstlight.sources.store import BadConnection, Store
from support.cloud.store_samples import server, uuid
from support.servers.databases import Server, eventually, free_port

OpenStore = Callable[..., Store]


@pytest.fixture(params=["postgresql", "mariadb"])
def database(request: pytest.FixtureRequest) -> Server:
    """A server that may be stopped and paused."""
    return request.getfixturevalue(request.param)


@pytest.fixture
def url(database: Server, request: pytest.FixtureRequest) -> str:
    """An empty database on it."""
    return database.database(f"outage{abs(hash(request.node.name)) % 10**8}")


def test_a_stopped_server_is_said_to_be_away_and_caught_up_with(
    database: Server, url: str, open_store: OpenStore
) -> None:
    """While it is away reads and writes fail with a sentence; when it is back, news goes on."""
    heard: list[str | None] = []
    store = open_store(url)
    store.add(server(1))
    store.watch(heard.append)
    database.stop()
    try:
        with pytest.raises(SourceUnavailable, match=r"store at .* could not read instance"):
            store.instance(uuid(1))
        assert eventually(lambda: store.healthy() is not None)
        assert heard == []
    finally:
        database.start()
    open_store(url).add(server(2))
    assert eventually(lambda: heard == [uuid(2)])
    assert store.healthy() is None
    assert store.instance(uuid(2)) is not None


def test_a_hung_server_holds_no_thread_for_ever(
    database: Server, url: str, open_store: OpenStore
) -> None:
    """A server that takes connections and never answers is unavailable after the time given."""
    store = open_store(url, timeout=1.0)
    store.add(server(1))
    fresh = open_store(url, timeout=1.0)
    database.pause()
    try:
        for one in (store, fresh):
            with pytest.raises(SourceUnavailable):
                one.instance(uuid(1))
    finally:
        database.resume()
    assert eventually(lambda: _reads(store))
    assert eventually(lambda: _reads(fresh))


def test_a_server_that_hangs_between_two_steps_is_unavailable(
    database: Server, url: str, open_store: OpenStore
) -> None:
    """It stops after the pool found the connection alive, before the first statement."""
    store = open_store(url, timeout=1.0)
    store.add(server(1))

    def pause(*_of_the_connection: object) -> None:
        database.pause()

    event.listen(Pool, "checkout", pause)
    try:
        with pytest.raises(SourceUnavailable):
            store.instance(uuid(1))
    finally:
        event.remove(Pool, "checkout", pause)
        database.resume()
    assert eventually(lambda: _reads(store))


def _reads(store: Store) -> bool:
    try:
        return store.instance(uuid(1)) is not None
    except SourceUnavailable:
        return False


def test_a_writer_that_stops_half_way_does_not_stop_the_others(
    url: str, open_store: OpenStore
) -> None:
    """The server ends a transaction that holds the lock and says nothing."""
    stuck, other = open_store(url, timeout=1.0), open_store(url, timeout=5.0)
    stuck.add(server(1))

    def sleep(_old: object) -> object:
        assert eventually(lambda: _adds(other), 30)
        return server(1, name="late")

    with pytest.raises(SourceUnavailable):
        stuck.revise(uuid(1), sleep)  # type: ignore[arg-type]
    assert stuck.instance(uuid(1)) == other.instance(uuid(1))
    assert other.instance(uuid(2)) is not None


def _adds(store: Store) -> bool:
    try:
        store.add(server(2))
    except SourceUnavailable:
        return False
    return True


@pytest.mark.parametrize("scheme", ["postgresql+psycopg", "mysql+pymysql"])
def test_a_server_that_is_not_there_is_named_without_its_password(
    scheme: str, open_store: OpenStore
) -> None:
    """Opening asks nobody; the first use says which database and what was attempted."""
    port = free_port()
    store = open_store(f"{scheme}://me:s3cret@127.0.0.1:{port}/store")
    heard: list[str | None] = []
    store.watch(heard.append)
    with pytest.raises(SourceUnavailable) as caught:
        store.list()
    assert f"127.0.0.1:{port}" in str(caught.value)
    assert "prepare its tables" in str(caught.value)
    assert "s3cret" not in str(caught.value)
    assert store.healthy() == str(caught.value)
    assert heard == []


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ("not a url", "not an SQLAlchemy URL"),
        ("oracle://me:s3cret@db/x", "cannot be kept in oracle"),
        ("sqlite://", "in memory"),
        ("sqlite:///:memory:", "in memory"),
        ("postgresql+pg8000://me:s3cret@db/x", "no driver"),
    ],
)
def test_a_url_that_cannot_be_used_is_refused(bad: str, reason: str) -> None:
    """Whoever wrote the configuration is told why, without the password."""
    with pytest.raises(BadConnection, match=reason) as caught:
        Store.open(bad)
    assert "s3cret" not in str(caught.value)


def test_the_file_is_private_and_durable(tmp_path: Path, open_store: OpenStore) -> None:
    """Only its owner may read it, whatever the umask; it is in WAL mode."""
    before = os.umask(0)
    try:
        store = open_store(f"sqlite:///{tmp_path}/new/store.sqlite")
        store.add(server(1))
        modes = {stat.S_IMODE(one.stat().st_mode) for one in (tmp_path / "new").iterdir()}
    finally:
        os.umask(before)
    assert modes == {0o600}
    with closing(sqlite3.connect(tmp_path / "new/store.sqlite")) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_a_file_that_is_moved_away_is_missed_not_made_anew(
    tmp_path: Path, open_store: OpenStore
) -> None:
    """Neither read nor write falls through to a new, empty store; back again, all is well."""
    path, away = tmp_path / "store.sqlite", tmp_path / "away.sqlite"
    store = open_store(f"sqlite:///{path}")
    store.add(server(1))
    heard: list[str | None] = []
    store.watch(heard.append)
    path.rename(away)
    with pytest.raises(SourceUnavailable, match="could not add"):
        store.add(server(2))
    assert eventually(lambda: store.healthy() is not None)
    assert not path.exists()
    away.rename(path)
    assert eventually(lambda: store.healthy() is None)
    store.add(server(2))
    assert eventually(lambda: uuid(2) in heard)


def test_a_file_that_is_replaced_is_noticed(tmp_path: Path, open_store: OpenStore) -> None:
    """A copy restored with its -wal and -shm is read from then on; all that was known is not."""
    path, copy = tmp_path / "store.sqlite", tmp_path / "copy.sqlite"
    store, other = open_store(f"sqlite:///{path}"), open_store(f"sqlite:///{copy}")
    store.add_all([server(1), server(2)])
    other.add(server(3))
    other.close()
    heard: list[str | None] = []
    store.watch(heard.append)
    for ending in ("-wal", "-shm"):
        Path(f"{path}{ending}").unlink()
    copy.rename(path)
    assert eventually(lambda: heard == [None])
    assert [one.uuid for one in store.list()] == [uuid(3)]


def test_another_program_s_or_a_newer_database_is_left_alone(
    tmp_path: Path, open_store: OpenStore
) -> None:
    """An unknown schema revision is named, and nothing is changed."""
    path = tmp_path / "store.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE alembic_version (version_num VARCHAR(32))")
        connection.execute("INSERT INTO alembic_version VALUES ('d67eeaabee36')")
        connection.commit()
    with pytest.raises(SourceUnavailable, match=r"d67eeaabee36.*newer Firstlight.*another program"):
        open_store(f"sqlite:///{path}").list()


def test_what_is_no_database_is_said(tmp_path: Path, open_store: OpenStore) -> None:
    """A file of something else, a directory that is missing: a sentence each."""
    (tmp_path / "text").write_text("not a database " * 100)
    with pytest.raises(SourceUnavailable, match="not a database"):
        open_store(f"sqlite:///{tmp_path}/text").list()
    with pytest.raises(SourceUnavailable, match="No such file"):
        open_store(f"sqlite:///{tmp_path}/no/such/store.sqlite").list()


def test_a_document_of_a_later_version_is_said_to_be_one(
    tmp_path: Path, open_store: OpenStore
) -> None:
    """What cannot be decoded is a failure, never an unknown instance."""
    path = tmp_path / "store.sqlite"
    store = open_store(f"sqlite:///{path}")
    store.add(server(1))
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE instance SET document = '{\"hologram\": 1}'")
        connection.commit()
    with pytest.raises(SourceUnavailable, match="not written by this version"):
        store.instance(uuid(1))
