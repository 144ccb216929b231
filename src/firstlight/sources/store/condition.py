"""The state of an instance, where it is not the usual one: written by services, shown to people."""

import time
from typing import NamedTuple

from sqlalchemy import Connection, bindparam, delete, insert, select

from firstlight.sources.store.sql import tables

ERROR = "ERROR"

_TABLE = tables.condition
_SET = insert(_TABLE)
_CLEAR = delete(_TABLE).where(_TABLE.c.uuid == bindparam("of"))
_READ = select(_TABLE.c.state, _TABLE.c.reason, _TABLE.c.since).where(
    _TABLE.c.uuid == bindparam("of")
)


class Condition(NamedTuple):
    """A state, why, and since when (seconds since the epoch)."""

    state: str
    reason: str
    since: int


def read(connection: Connection, uuid: str) -> Condition | None:
    """None: the usual state."""
    row = connection.execute(_READ, {"of": uuid}).first()
    return None if row is None else Condition(*row)


def put(connection: Connection, uuid: str, condition: Condition) -> None:
    """In the place of what it was."""
    clear(connection, uuid)
    connection.execute(_SET, {"uuid": uuid, **condition._asdict()})


def clear(connection: Connection, uuid: str) -> None:
    """Back to the usual state."""
    connection.execute(_CLEAR, {"of": uuid})


def error(reason: str) -> Condition:
    """ERROR, from now on."""
    return Condition(ERROR, reason, int(time.time()))
