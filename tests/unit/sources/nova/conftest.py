"""Small databases with rows that Nova 34 wrote, so that the source is read without Nova."""

import json
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from firstlight.sources.nova import deploy, schema
from firstlight.sources.nova import tables as t

ROWS: Mapping[str, Any] = json.loads((Path(__file__).parent / "nova34_rows.json").read_text())
CELL_TABLES = (
    *(t.instances, t.instance_extra, t.info_caches, t.block_devices),
    *(t.metadata, t.system_metadata, t.instance_ids, t.images),
)
API_TABLES = (t.cell_mappings, t.instance_mappings)


class File:
    """An SQLite file with some of Nova's tables."""

    def __init__(self, path: Path, tables: Any, revision: str) -> None:
        self.path = path
        self.url = f"sqlite:///{path}"
        for table in tables:
            columns = ", ".join(
                f'"{c.name}" INTEGER PRIMARY KEY AUTOINCREMENT' if c.name == "id" else f'"{c.name}"'
                for c in table.c
            )
            self.run(f"CREATE TABLE {table.name} ({columns})")
        self.run("CREATE TABLE alembic_version (version_num)")
        self.add("alembic_version", {"version_num": revision})

    def run(self, statement: str, values: tuple[Any, ...] = ()) -> list[Any]:
        """Execute one statement; its rows."""
        with closing(sqlite3.connect(self.path, isolation_level=None)) as connection:
            connection.execute("PRAGMA synchronous = OFF")
            return connection.execute(statement, values).fetchall()

    def add(self, table: str, *rows: Mapping[str, Any]) -> None:
        """Insert rows."""
        known = {name for _, name, *_ in self.run(f"PRAGMA table_info({table})")}
        for row in rows:
            kept = {name: value for name, value in row.items() if name in known}
            names = ", ".join(f'"{name}"' for name in kept)
            marks = ", ".join("?" * len(kept))
            self.run(f"INSERT INTO {table} ({names}) VALUES ({marks})", tuple(kept.values()))


class Databases:
    """An API database and one cell."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.api = File(directory / "api.sqlite", API_TABLES, schema.API[-1])
        self.cell = self.new_cell("cell1")
        self.map_cell(1, "cell1", self.cell.url)

    def new_cell(self, name: str) -> File:
        """An empty cell's database."""
        return File(self.directory / f"{name}.sqlite", CELL_TABLES, schema.CELL[-1])

    def map_cell(self, number: int, name: str, url: str) -> None:
        """A row of the cell mappings."""
        row = {"id": number, "uuid": f"uuid-{number}", "name": name, "database_connection": url}
        self.api.add("cell_mappings", row)

    def add(self, kind: str, cell: File | None = None, number: int | None = 1) -> str:
        """Insert a recorded instance, mapped to cell `number` (None: not mapped); its UUID."""
        recorded = ROWS[kind]
        uuid: str = recorded["uuid"]
        for table, rows in recorded.items():
            if table != "uuid":
                (cell or self.cell).add(table, *({**row, "id": None} for row in rows))
        if number is not None:
            self.api.add("instance_mappings", {"instance_uuid": uuid, "cell_id": number})
        return uuid


@pytest.fixture
def databases(tmp_path: Path) -> Databases:
    """An API database and one cell, both empty."""
    return Databases(tmp_path)


Open = Callable[..., deploy.NovaSource]


@pytest.fixture
def opened(databases: Databases, tmp_path: Path) -> Any:
    """Opens a source with lines of a nova.conf; closes it afterwards."""
    from firstlight import conf

    sources: list[Any] = []

    def open_source(text: str | None = None, **arguments: Any) -> Any:
        path = tmp_path / "nova.conf"
        path.write_text(text or f"[api_database]\nconnection={databases.api.url}\n")
        now = {"now": lambda: datetime(2026, 11, 21, 12, 0, 0)}
        source = deploy.open_nova(conf.load("metadata", [str(path)]), **(now | arguments))
        sources.append(source)
        return source

    yield open_source
    for source in sources:
        source.close()
