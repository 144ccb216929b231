"""Stores on each kind of database."""

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from firstlight.sources.store import Store
from support.servers.databases import mariadb, postgresql  # noqa: F401  (fixtures)

KINDS = ("sqlite", "postgresql", "mariadb")
_names = (f"store{number}" for number in itertools.count())


@pytest.fixture(params=KINDS)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/store.sqlite"
    return request.getfixturevalue(request.param).database(next(_names))


@pytest.fixture
def open_store() -> Iterator[Callable[[str], Store]]:
    """Opens stores and closes them after the test."""
    opened: list[Store] = []

    def open_one(at: str, **settings: float) -> Store:
        opened.append(Store.open(at, **settings))
        return opened[-1]

    yield open_one
    for store in opened:
        store.close()


@pytest.fixture
def store(url: str, open_store: Callable[[str], Store]) -> Store:
    """An empty store on each kind of database."""
    return open_store(url)
