"""The schemas of older Nova releases, as Nova 34's own migrations make them."""

import sqlite3
from contextlib import closing

import pytest

from firstlight.sources.nova import schema
from lab.kinds.table import KINDS

CELL_TABLES = (
    *("instances", "instance_extra", "instance_info_caches", "block_device_mapping"),
    *("instance_metadata", "instance_system_metadata", "instance_id_mappings", "s3_images"),
)
API_TABLES = ("cell_mappings", "instance_mappings")


@pytest.fixture(scope="module")
def older(nova_databases, tmp_path_factory):
    """A directory with an empty database of every revision."""
    empty = nova_databases.configured_in(tmp_path_factory.mktemp("schemas"))
    empty.ask("schemas", "main", *schema.CELL)
    empty.ask("schemas", "api", *schema.API)
    return empty.directory


def fill(path, source, tables):
    """Copy the rows of these tables, as far as both schemas have the columns."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("ATTACH ? AS source", (str(source),))
        for table in tables:
            names = ", ".join(f'"{name}"' for name in _shared_columns(connection, table))
            connection.execute(f"INSERT INTO {table} ({names}) SELECT {names} FROM source.{table}")
        connection.commit()


def _shared_columns(connection, table):
    here, there = (
        {name for _, name, *_ in connection.execute(f"PRAGMA {place}.table_info({table})")}
        for place in ("main", "source")
    )
    return sorted(here & there)


@pytest.mark.parametrize("revision", schema.CELL)
def test_a_cells_database(own_databases, older, opened, caplog, revision):
    """Every kind reads the same from the schema of each revision, and nothing is warned of."""
    newest = opened(own_databases.configuration())
    expected = [newest.instance(kind.instance["uuid"]) for kind in KINDS.values()]
    cell = own_databases.directory / "cell1.sqlite"
    new = cell.rename(own_databases.directory / "newest.sqlite")
    fill(older / f"{revision}.sqlite", new, CELL_TABLES)
    (older / f"{revision}.sqlite").rename(cell)
    source = opened(own_databases.configuration())
    assert expected == [source.instance(kind.instance["uuid"]) for kind in KINDS.values()]
    source.set_password(KINDS["minimal"].instance["uuid"], "secret")
    assert [record.getMessage() for record in caplog.records if record.levelname == "WARNING"] == []


@pytest.mark.parametrize("revision", schema.API)
def test_an_api_database(own_databases, older, opened, revision):
    """Instances are found through each revision of the API database."""
    api = own_databases.directory / "api.sqlite"
    new = api.rename(own_databases.directory / "newest.sqlite")
    fill(older / f"{revision}.sqlite", new, API_TABLES)
    (older / f"{revision}.sqlite").rename(api)
    source = opened(own_databases.configuration())
    assert source.instance(KINDS["minimal"].instance["uuid"]) is not None
