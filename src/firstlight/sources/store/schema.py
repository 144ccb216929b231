"""Bringing a database's tables to the form this version reads. Alembic is loaded only for work."""

from pathlib import Path

from sqlalchemy import Connection, inspect, text

from firstlight.sources.store.errors import Unreadable

HEAD = "0001"  # the newest step in migrations/versions
_STEPS = Path(__file__).with_name("migrations")
_LOCK = "firstlight store schema"
_LOCK_NUMBER = 0x66_69_72_73_74  # PostgreSQL names advisory locks by number


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

    Commits: on MariaDB the lock must outlive the transaction.

    Raises:
        Unreadable: as :func:`is_current`, or alembic is not installed.
    """
    _lock(connection, timeout)
    try:
        if not is_current(connection):
            _run(connection)
        connection.commit()
    finally:
        _unlock(connection)


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


def _lock(connection: Connection, timeout: float) -> None:
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    elif connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK_NUMBER})
    elif connection.dialect.name in ("mysql", "mariadb"):
        got = connection.scalar(
            text("SELECT GET_LOCK(:name, :wait)"), {"name": _LOCK, "wait": timeout}
        )
        if not got:
            raise Unreadable("another process has been migrating its tables for too long")


def _unlock(connection: Connection) -> None:
    if connection.dialect.name in ("mysql", "mariadb"):
        connection.execute(text("SELECT RELEASE_LOCK(:name)"), {"name": _LOCK})
