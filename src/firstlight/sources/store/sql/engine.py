"""The store's engines: how each kind of database is connected to."""

from typing import Any
from urllib.parse import quote

from sqlalchemy import URL, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DisconnectionError

from firstlight.sources import servers
from firstlight.sources.store.errors import BadConnection
from firstlight.sources.store.sql import sqlite_file


def parse(url: str) -> URL:
    """The URL, checked as far as can be without asking a database.

    Raises:
        BadConnection: it is no URL, or not one of SQLite, PostgreSQL, MariaDB and MySQL.
    """
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError) as error:
        # The text is not shown: what cannot be parsed cannot have its password hidden.
        raise BadConnection(
            "the store's URL ([store] connection) is not an SQLAlchemy URL such as"
            " sqlite:////var/lib/firstlight/firstlight.sqlite"
        ) from error
    kind = parsed.get_backend_name()
    if kind not in ("sqlite", *servers.KINDS):
        raise BadConnection(
            f"the store cannot be kept in {kind}: use sqlite, postgresql or mariadb"
        )
    if kind == "sqlite" and parsed.database in (None, "", ":memory:"):
        raise BadConnection("a store in memory has one reader only: name a file, sqlite:////PATH")
    return parsed


def make(url: URL, *, pool_size: int, timeout: float) -> Engine:
    """An engine whose connections, statements and waits each end within about `timeout` seconds.

    `pool_size` 0 means no pool: the caller keeps its connection itself. Nothing is connected yet.

    Raises:
        BadConnection: the driver the URL needs is not installed.
    """
    if url.get_backend_name() == "sqlite":
        return _sqlite(url, servers.pool_arguments(pool_size, timeout), timeout)
    try:
        return servers.make(url, pool_size=pool_size, timeout=timeout)
    except servers.NoDriver as error:
        raise BadConnection(str(error)) from error


def _sqlite(url: URL, pool: dict[str, Any], timeout: float) -> Engine:
    path = sqlite_file.path_of(url)
    # mode=rw: a file that has gone must be an error, not a new, empty store.
    query = {**url.query, "mode": "rw", "uri": "true"}
    engine = create_engine(
        url.set(database=f"file:{quote(str(path))}", query=query),
        connect_args={"timeout": timeout, "check_same_thread": False},
        **pool,
    )

    @event.listens_for(engine, "connect")
    def configure(connection: Any, record: Any) -> None:
        connection.isolation_level = None  # transactions begin where we say BEGIN
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")  # acknowledged means on the disk
        record.info["file"] = sqlite_file.identity(path)

    @event.listens_for(engine, "checkout")
    def notice_replacement(_connection: Any, record: Any, _proxy: Any) -> None:
        # A write to a file that was moved away would be acknowledged and lost.
        if record.info["file"] != sqlite_file.identity(path):
            raise DisconnectionError(f"{path} is not the file it was")

    return engine
