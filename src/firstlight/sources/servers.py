"""Engines for database servers, made so that no thread waits on one for ever.

What is the same for the embedded store and for Nova's databases; SQLite files differ, see
:mod:`firstlight.sources.store.sql.engine` and :mod:`firstlight.sources.nova.engine`.
"""

from inspect import signature
from time import monotonic
from typing import Any

from sqlalchemy import URL, Engine, NullPool, create_engine, event
from sqlalchemy.engine.default import DefaultDialect
from sqlalchemy.exc import DBAPIError, InvalidatePoolError, NoSuchModuleError

KINDS = ("postgresql", "mysql", "mariadb")

# Seconds. A connection that was not used for so long is tried before it is handed out; one that
# was, has just answered, and trying it each time would cost as much as the question itself.
_RESTED = 1.0

# From 2.0.43 on SQLAlchemy can be told not to roll back where there is nothing to roll back.
_ALONE: dict[str, Any] = {"isolation_level": "AUTOCOMMIT"}
if "skip_autocommit_rollback" in signature(DefaultDialect).parameters:
    _ALONE["skip_autocommit_rollback"] = True


class NoDriver(Exception):
    """The driver the URL needs is not installed; the message says how to get one."""


def pool_arguments(pool_size: int, timeout: float) -> dict[str, Any]:
    """Arguments of create_engine for a pool that waits `timeout` seconds; 0: no pool."""
    if not pool_size:
        return {"poolclass": NullPool}
    return {"pool_size": pool_size, "max_overflow": 0, "pool_timeout": timeout}


def make(url: URL, *, pool_size: int, timeout: float, autocommit: bool = False) -> Engine:
    """An engine whose connections, statements and waits each end within about `timeout` seconds.

    Nothing is connected yet.

    Args:
        autocommit: statements stand alone; whoever writes takes :func:`transactional`.

    Raises:
        NoDriver: the driver the URL needs is not installed.
    """
    maker = _postgresql if url.get_backend_name() == "postgresql" else _mysql
    pool = pool_arguments(pool_size, timeout)
    try:
        engine = maker(url, pool | (_ALONE if autocommit else {}), timeout)
    except (ImportError, NoSuchModuleError) as error:
        raise NoDriver(
            f"no driver for {url.drivername} ({error}): pip install 'firstlight[postgresql]' or"
            " 'firstlight[mysql]', and write the URL as postgresql+psycopg:// or mysql+pymysql://"
        ) from error
    _try_rested(engine)
    return engine


def transactional(engine: Engine) -> Engine:
    """The connections of an engine with `autocommit`, for transactions."""
    level = "READ COMMITTED" if engine.dialect.name == "postgresql" else "REPEATABLE READ"
    return engine.execution_options(isolation_level=level)


def _try_rested(engine: Engine) -> None:
    """A rested connection that does not answer is replaced, and all others made before it."""
    dialect = engine.dialect
    errors = driver_error(engine)

    @event.listens_for(engine, "checkin")
    def rest(_connection: Any, record: Any) -> None:
        record.info["rests since"] = monotonic()

    @event.listens_for(engine, "checkout")
    def look(connection: Any, record: Any, _proxy: Any) -> None:
        since = record.info.get("rests since")
        if since is None or monotonic() < since + _RESTED:
            return
        try:
            dialect.do_ping(connection)
        except errors as error:
            raise InvalidatePoolError from error


def driver_error(engine: Engine) -> type[Exception]:
    """What the engine's driver raises where SQLAlchemy does not wrap it.

    Setting the isolation level of a connection that is handed out asks the server, and an error
    of that question arrives as the driver made it.
    """
    error: type[Exception] = engine.dialect.loaded_dbapi.Error
    return error


def first_line(error: Exception) -> str:
    """What a database library says went wrong; later lines may quote what is stored."""
    cause = error.orig if isinstance(error, DBAPIError) and error.orig else error
    lines = str(cause).splitlines() or [type(cause).__name__]
    return lines[0][:300]


def _postgresql(url: URL, pool: dict[str, Any], timeout: float) -> Engine:
    milliseconds = int(timeout * 1000)
    # The last one ends a writer that stopped (SIGSTOP) while it held a lock.
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
    # Whatever the server's default: who waited sees all.
    level = {"isolation_level": "READ COMMITTED"}
    engine = create_engine(url, connect_args=_unless_given(url, wanted), **level | pool)
    if url.get_driver_name() == "psycopg":
        from firstlight.sources.patience import patient

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
    return create_engine(url, connect_args=_unless_given(url, wanted), **pool)


def _unless_given(url: URL, wanted: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in wanted.items() if name not in url.query}
