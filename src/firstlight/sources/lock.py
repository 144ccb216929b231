"""Locks by name that a database server keeps for all its clients."""

import zlib
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, text
from sqlalchemy.exc import OperationalError


@contextmanager
def locked(connection: Connection, name: str, timeout: float) -> Iterator[None]:
    """Hold the lock `name`; it outlives the transactions of the block.

    SQLite has none: whoever wants one begins a transaction with BEGIN IMMEDIATE. A server lets go
    of it when the connection ends.

    Raises:
        OperationalError: somebody has held it for longer than `timeout` seconds.
    """
    kind = connection.dialect.name
    if kind not in _STATEMENTS:
        yield
        return
    take, give = _STATEMENTS[kind]
    values = {"name": name, "number": zlib.crc32(name.encode()), "wait": timeout}
    if connection.execute(take, values).scalar() == 0:  # MySQL; PostgreSQL has a lock_timeout
        raise OperationalError(str(take), {}, Exception(f"lock {name!r} is taken"))
    connection.commit()
    try:
        yield
    finally:
        connection.rollback()
        connection.execute(give, values)
        connection.commit()


_MYSQL = (text("SELECT GET_LOCK(:name, :wait)"), text("SELECT RELEASE_LOCK(:name)"))
_STATEMENTS = {
    "postgresql": (
        text("SELECT pg_advisory_lock(:number)"),
        text("SELECT pg_advisory_unlock(:number)"),
    ),
    "mysql": _MYSQL,
    "mariadb": _MYSQL,
}
