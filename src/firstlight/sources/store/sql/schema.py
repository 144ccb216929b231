"""Bringing a database's tables to the form this version reads. Alembic is loaded only for work."""

from pathlib import Path

from sqlalchemy import Connection, inspect, text

from firstlight.sources.lock import locked
from firstlight.sources.store.errors import Unreadable

HEAD = "0003"  # the newest step in migrations/versions
_STEPS = Path(__file__).parent.parent / "migrations"
_LOCK = "firstlight store schema"


def is_current(connection: Connection) -> bool:
    """Whether there is nothing to do.

    Raises:
        Unreadable: the database is a later Firstlight's, or another program's.
    """
    found = _revision(connection)
    if found is not None and found > HEAD:
        raise Unreadable(
            f"its schema is revision {found}, and this version knows none after {HEAD}: it was"
            " made by a newer Firstlight (upgrade this one) or belongs to another program"
        )
    return found == HEAD


def migrate(connection: Connection, timeout: float) -> None:
    """Run the missing steps, once, however many processes try: the others wait their turn.

    Commits: the lock must outlive the transaction.

    Raises:
        Unreadable: as :func:`is_current`, or alembic is not installed.
        OperationalError: another process has been at it for longer than `timeout` seconds.
    """
    with locked(connection, _LOCK, timeout):
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        if not is_current(connection):
            _run(connection)
        connection.commit()


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return found


def _run(connection: Connection) -> None:
    try:
        from alembic import command
        from alembic.config import Config
    except ImportError as error:
        raise Unreadable(
            "its tables must be made or migrated, which needs alembic:"
            " pip install 'firstlight[store]'"
        ) from error
    config = Config()
    config.set_main_option("script_location", str(_STEPS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
