"""The tables: made by migrations, as the code expects them, also after a bad start."""

from collections.abc import Callable
from importlib.resources import files as resources

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, text

from firstlight.sources.store import Store, Taken
from firstlight.sources.store.sql import schema, tables
from support.cloud.store_samples import interface, server, uuid

OpenStore = Callable[..., Store]


def test_migrations_make_the_tables_the_code_reads(url: str, open_store: OpenStore) -> None:
    """Alembic finds no difference between the database and `tables`."""
    open_store(url).prepare()
    engine = create_engine(url)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, tables.metadata) == []
    engine.dispose()


def test_the_newest_step_is_the_one_the_code_asks_for() -> None:
    """HEAD spares loading alembic when there is nothing to do, so it must be right."""
    config = Config()
    config.set_main_option(
        "script_location", str(resources("firstlight.sources.store") / "migrations")
    )
    assert ScriptDirectory.from_config(config).get_current_head() == schema.HEAD


def test_ports_of_what_was_stored_before(url: str, open_store: OpenStore) -> None:
    """A store of an earlier version learns of them from its documents."""
    store = open_store(url)
    store.add(server(1, interfaces=(interface("10.7.0.7", "10.7.0.0/24", port="a"),)))
    store.add(server(2))
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE port"))
        connection.execute(text("UPDATE alembic_version SET version_num = '0002'"))
    engine.dispose()
    with pytest.raises(Taken, match="port a"):
        open_store(url).add(server(3, interfaces=(interface("10.9.0.7", "10.9.0.0/24", port="a"),)))


def test_a_migration_that_was_cut_off_is_done_again(url: str, open_store: OpenStore) -> None:
    """MariaDB commits each table by itself: some may be there, and their step not on record."""
    open_store(url).prepare()
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE alembic_version"))
        connection.execute(text("DROP TABLE password"))
        connection.execute(text("DELETE FROM change_counter"))
    engine.dispose()
    again = open_store(url)
    again.add(server(1))
    again.set_password(uuid(1), "x")
    assert again.healthy() is None
