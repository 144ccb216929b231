"""Engines: how each kind of database is connected to, so that no thread waits on it for ever."""

from typing import Any
from urllib.parse import quote

from sqlalchemy import URL, Engine, NullPool, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DisconnectionError, NoSuchModuleError

from firstlight.sources.store import sqlite_file
from firstlight.sources.store.errors import BadConnection

SERVERS = ("postgresql", "mysql", "mariadb")


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
    if kind not in ("sqlite", *SERVERS):
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
    pool: dict[str, Any] = {"poolclass": NullPool}
    if pool_size:
        pool = {"pool_size": pool_size, "max_overflow": 0, "pool_timeout": timeout}
    try:
        return _MAKERS[url.get_backend_name()](url, pool, timeout)
    except (ImportError, NoSuchModuleError) as error:
        raise BadConnection(
            f"no driver for {url.drivername} ({error}): pip install 'firstlight[postgresql]' or"
            " 'firstlight[mysql]', and write the URL as postgresql+psycopg:// or mysql+pymysql://"
        ) from error


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


def _postgresql(url: URL, pool: dict[str, Any], timeout: float) -> Engine:
    milliseconds = int(timeout * 1000)
    # The last one ends a writer that stopped (SIGSTOP) while it held the counter.
    limits = {
        "statement_timeout": milliseconds,
        "lock_timeout": milliseconds,
        "idle_in_transaction_session_timeout": milliseconds,
    }
    wanted = {
        "connect_timeout": max(2, int(timeout)),  # libpq's least
        "tcp_user_timeout": milliseconds,
        "options": " ".join(f"-c {name}={value}" for name, value in limits.items()),
    }
    engine = create_engine(
        url,
        connect_args=_unless_given(url, wanted),
        isolation_level="READ COMMITTED",  # whatever the server's default: see changes.lock
        pool_pre_ping=True,
        **pool,
    )
    if url.get_driver_name() == "psycopg":
        from firstlight.sources.store.patience import patient

        connection_class = patient(timeout)

        @event.listens_for(engine, "do_connect")
        def connect(_dialect: Any, _record: Any, args: Any, kwargs: Any) -> Any:
            return connection_class.connect(*args, **kwargs)

    return engine


def _mysql(url: URL, pool: dict[str, Any], timeout: float) -> Engine:
    seconds = max(1, int(timeout))
    wanted = {
        "connect_timeout": seconds,
        "read_timeout": seconds,
        "write_timeout": seconds,
        # Only MariaDB, from 10.3 on, reads what stands in /*M! */; the reason is PostgreSQL's.
        "init_command": "SET SESSION "
        f"/*M!100300 idle_transaction_timeout = {seconds}, */ innodb_lock_wait_timeout = {seconds}",
    }
    return create_engine(url, connect_args=_unless_given(url, wanted), pool_pre_ping=True, **pool)


def _unless_given(url: URL, wanted: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in wanted.items() if name not in url.query}


_MAKERS = {
    "sqlite": _sqlite,
    "postgresql": _postgresql,
    "mysql": _mysql,
    "mariadb": _mysql,
}
