"""The source on PostgreSQL: the tables that are read, with rows that Nova 34 wrote.

Nova's own migrations are not run here: Nova has not supported PostgreSQL for years, and what some
operators have is what an earlier release left them.
"""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from firstlight import conf
from firstlight.instance import Ec2Ids
from firstlight.sources import PasswordSet
from firstlight.sources.nova import open_nova, schema
from firstlight.sources.nova import tables as t

ROWS = json.loads(
    (Path(__file__).parents[3] / "unit" / "sources" / "nova" / "nova34_rows.json").read_text()
)
UUID = ROWS["full"]["uuid"]
TYPES = {
    "id": "SERIAL PRIMARY KEY",
    **dict.fromkeys(("deleted", "launch_index", "cell_id"), "INTEGER"),
    **dict.fromkeys(("created_at", "updated_at"), "TIMESTAMP"),
}
CELL_TABLES = (
    *(t.instances, t.instance_extra, t.info_caches, t.block_devices),
    *(t.metadata, t.system_metadata, t.instance_ids, t.images),
)


@pytest.fixture(scope="module")
def urls(postgresql):
    """Of the API database and the cell's, both filled."""
    api, cell = (postgresql.database(name) for name in ("nova_api", "nova_cell1"))
    fill(api, (t.cell_mappings, t.instance_mappings), schema.API[-1])
    fill(cell, CELL_TABLES, schema.CELL[-1])
    template = cell.replace("postgresql+psycopg", "{scheme}")
    run(api, "INSERT INTO cell_mappings VALUES (1, 'uuid-1', 'cell1', :to)", to=template)
    run(api, "INSERT INTO instance_mappings VALUES (:uuid, 1)", uuid=UUID)
    for table, rows in ROWS["full"].items():
        if table != "uuid":
            for row in rows:
                add(cell, table, row)
    return api, cell


def fill(url, tables, revision):
    """Make the tables."""
    for table in tables:
        columns = ", ".join(f'"{c.name}" {TYPES.get(c.name, "TEXT")}' for c in table.c)
        run(url, f"CREATE TABLE {table.name} ({columns})")
    run(url, "CREATE TABLE alembic_version (version_num TEXT)")
    run(url, "INSERT INTO alembic_version VALUES (:revision)", revision=revision)


def add(url, table, row):
    """Insert a row; its id is the database's to give."""
    known = {c.name for one in CELL_TABLES if one.name == table for c in one.c} - {"id"}
    kept = {name: value for name, value in row.items() if name in known}
    names, marks = (", ".join(form % name for name in kept) for form in ('"%s"', ":%s"))
    run(url, f"INSERT INTO {table} ({names}) VALUES ({marks})", **kept)


def run(url, statement, **values):
    """Execute one statement; its rows."""
    engine = create_engine(url)
    try:
        with engine.begin() as connection:
            result = connection.execute(text(statement), values)
            return result.all() if result.returns_rows else []
    finally:
        engine.dispose()


@pytest.fixture
def sources(urls, tmp_path):
    """Two of them, as two services would have."""
    api, cell = urls
    path = tmp_path / "nova.conf"
    # As operators write it; the driver that is installed is taken.
    plain = api.replace("+psycopg", "")
    path.write_text(f"[api_database]\nconnection={plain}\n[database]\nconnection={cell}\n")
    opened = [open_nova(conf.load("metadata", [str(path)])) for _ in range(2)]
    yield opened
    for source in opened:
        source.close()


def test_recorded(sources):
    """An instance is read, and its cell's template filled."""
    assert list(sources[0].prepare()) == []
    found = sources[0].instance(UUID)
    assert (found.hostname, found.flavor, found.boot_roles) == (
        "web-1",
        "m1.small",
        "member,reader",
    )
    assert list(found.metadata) == ["role", "dsmode", "a", "colour"]


def test_services_that_number_at_once(urls, sources):
    """However many ask for the first time, there is one number each."""
    for table in ("instance_id_mappings", "s3_images"):
        run(urls[1], f"TRUNCATE {table} RESTART IDENTITY")
    with ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(source.instance, UUID) for source in sources * 4]
    expected = Ec2Ids(instance=1, image=1, kernel=2, ramdisk=3)
    assert [one.result().ec2_ids for one in asked] == [expected] * 8
    assert run(urls[1], "SELECT count(*) FROM s3_images") == [(3,)]


def test_password(urls, sources):
    """It is stored once, whoever asks."""
    run(urls[1], "UPDATE instance_system_metadata SET value = '' WHERE key LIKE 'password%'")
    sources[0].set_password(UUID, "0123456789" * 102)
    assert sources[1].instance(UUID).password == "0123456789" * 102
    with pytest.raises(PasswordSet):
        sources[1].set_password(UUID, "another")
