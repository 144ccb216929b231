"""The log of changes: written with each change, read by whoever keeps something in memory."""

from collections.abc import Sequence

from sqlalchemy import Connection, bindparam, delete, insert, update

from firstlight.sources.store.sql import tables

KEPT = 10_000  # changes that are remembered; a reader further behind forgets everything it knows

_NOTE = insert(tables.change)
_COUNT = update(tables.change_counter).values(seq=bindparam("newest"))
_PRUNE = delete(tables.change).where(tables.change.c.seq <= bindparam("oldest"))


def lock(connection: Connection) -> int:
    """Wait for every other writer; the number of the last change.

    The first thing in each writing transaction. The lock is held until the commit, so numbers
    become visible in their order: a reader that has seen 7 will never find a new 6. What is read
    after it cannot change before the commit.
    """
    return int(connection.execute(tables.LOCK_COUNTER).scalar_one())


def note(connection: Connection, last: int, uuids: Sequence[str]) -> None:
    """Number these changes after `last`, which :func:`lock` told, and forget the oldest."""
    if not uuids:
        return
    newest = last + len(uuids)
    kept = uuids[-KEPT:]
    first = newest - len(kept) + 1
    connection.execute(_NOTE, [{"seq": first + n, "uuid": uuid} for n, uuid in enumerate(kept)])
    connection.execute(_COUNT, {"newest": newest})
    connection.execute(_PRUNE, {"oldest": newest - KEPT})


def newest(connection: Connection) -> int:
    """The number of the last change."""
    return int(connection.execute(tables.COUNTER).scalar_one())


def since(connection: Connection, seen: int) -> tuple[int, Sequence[str] | None]:
    """The last number now, and whose changes came after `seen`; None: too far behind to say.

    Numbers have no gaps, so a first one that is not ``seen + 1`` means that some were forgotten,
    and a last one below `seen` that the database is another one than it was.
    """
    last = newest(connection)
    if last == seen:
        return last, ()
    rows = connection.execute(tables.CHANGES, {"seen": seen}).all()
    if not rows or rows[0].seq != seen + 1:
        return last, None
    return rows[-1].seq, tuple(dict.fromkeys(row.uuid for row in rows))
