"""The guest's password: four pieces in ``instance_system_metadata``, as Nova keeps them.

What is stored here the compute API shows as ``os-server-password`` (metadata-api §1.10).
"""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Connection

from firstlight.sources.contract import InstanceGone, PasswordSet
from firstlight.sources.nova import tables

PREFIX = "password_"
_PIECES = 4
_LENGTH = 255  # characters; the column holds no more


def joined(pairs: Iterable[tuple[str, str | None]]) -> str:
    """The password of these system metadata, whatever else is among them; empty: none."""
    pieces = sorted((key, value) for key, value in pairs if key.startswith(PREFIX))
    return "".join(value or "" for _, value in pieces)


def store(connection: Connection, uuid: str, password: str, now: datetime) -> None:
    """Store it, in the caller's transaction. An empty one leaves four empty pieces, "not set".

    Raises:
        InstanceGone: there is no such instance.
        PasswordSet: one is stored already.
    """
    # Whoever posts at the same time waits here, and then reads what we stored.
    if connection.execute(tables.LOCK_INSTANCE, {"uuid": uuid}).first() is None:
        raise InstanceGone(f"there is no instance {uuid}")
    rows = connection.execute(tables.PASSWORD, {"uuid": uuid}).all()
    if joined((row.key, row.value) for row in rows):
        raise PasswordSet(f"instance {uuid} has a password already")
    known = {row.key: row for row in rows}
    for number in range(_PIECES):
        key, value = f"{PREFIX}{number}", password[number * _LENGTH : (number + 1) * _LENGTH]
        if key not in known:
            new = {"instance_uuid": uuid, "key": key, "value": value}
            connection.execute(tables.ADD_PAIR, new | {"deleted": 0, "created_at": now})
        elif value != known[key].value:
            change = {"row": known[key].id, "value": value, "updated_at": now}
            connection.execute(tables.CHANGE_PAIR, change)
    connection.execute(tables.TOUCH_INSTANCE, {"of": uuid, "updated_at": now})
