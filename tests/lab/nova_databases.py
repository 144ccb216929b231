"""Databases that real Nova made, with instances of every kind, for tests of the source.

A test module takes the fixtures it wants by importing them.
"""

import json
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from oslo_config import cfg

from firstlight import conf
from firstlight.sources.nova import NovaSource, open_nova
from lab.environment import NoLab, lab
from lab.kinds.kind import Kind, server
from lab.kinds.table import KINDS
from lab.loaded import ask
from lab.nova import Nova
from support.parts import absent

DELETED = Kind("deleted", server(90), told={"deleted": True})
_ASK = Path(__file__).with_name("ask_nova.py")


@dataclass(frozen=True)
class Databases:
    """SQLite files in a directory, and the nova.conf that leads to them."""

    environment: Path
    directory: Path

    @property
    def nova_conf(self) -> Path:
        """The file that Nova itself is started with."""
        return self.directory / "nova.conf"

    @property
    def cell_url(self) -> str:
        """Of the one cell that holds instances."""
        return f"sqlite:///{self.directory}/cell1.sqlite"

    def configuration(self) -> cfg.ConfigOpts:
        """What we read of that file."""
        return conf.load("metadata", [str(self.nova_conf)])

    def ask(self, *question: str) -> Any:
        """The answer of Nova's own code (:mod:`lab.ask_nova`)."""
        said = ask(self.environment, self.directory, _ASK, str(self.nova_conf), *question)
        return json.loads(said.splitlines()[-1])

    def run(self, name: str, statement: str, *values: Any) -> list[Any]:
        """Execute one statement on ``api`` or ``cell1``; its rows."""
        path = self.directory / f"{name}.sqlite"
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            return connection.execute(statement, values).fetchall()

    def copied_to(self, directory: Path) -> "Databases":
        """The same in another directory, for a test that writes."""
        copied = self.configured_in(directory)
        for file in self.directory.glob("*.sqlite"):
            shutil.copy(file, directory)
        copied.run(
            "api",
            "UPDATE cell_mappings SET database_connection = replace(database_connection, ?, ?)",
            str(self.directory),
            str(directory),
        )
        return copied

    def configured_in(self, directory: Path) -> "Databases":
        """A nova.conf for another directory, where no databases are yet."""
        directory.mkdir(exist_ok=True)
        moved = replace(self, directory=directory)
        text = self.nova_conf.read_text().replace(str(self.directory), str(directory))
        moved.nova_conf.write_text(text)
        return moved


@pytest.fixture(scope="session")
def lab_environment() -> Path:
    """The virtual environment with real Nova in it."""
    try:
        return lab()
    except NoLab as error:
        absent(str(error))


@pytest.fixture(scope="session")
def nova_databases(lab_environment: Path, tmp_path_factory: pytest.TempPathFactory) -> Databases:
    """Made by Nova's migrations and objects; to be read only."""
    directory = tmp_path_factory.mktemp("nova")
    nova = Nova(lab_environment, directory, neutron="http://127.0.0.1:1")
    nova.make_instances([*KINDS.values(), DELETED])
    return Databases(lab_environment, directory)


@pytest.fixture
def own_databases(nova_databases: Databases, tmp_path: Path) -> Databases:
    """A copy to write to."""
    return nova_databases.copied_to(tmp_path / "nova")


OpenNova = Callable[[cfg.ConfigOpts], NovaSource]


@pytest.fixture
def opened() -> Iterator[OpenNova]:
    """Opens sources, and closes them afterwards."""
    sources: list[NovaSource] = []

    def open_source(configuration: cfg.ConfigOpts) -> NovaSource:
        sources.append(open_nova(configuration))
        return sources[-1]

    yield open_source
    for source in sources:
        source.close()
