"""Real Nova and ours side by side on one MariaDB, in two cells that nova-manage made."""

from collections.abc import Iterator

import pytest
from sqlalchemy import create_engine, text

from lab.beside import Ports, both, differences
from lab.environment import needed
from lab.on_mariadb import FITTING, empty_databases
from lab.recording import a_lab
from support.servers.databases import mariadb  # noqa: F401  (a fixture)


@pytest.fixture(scope="module")
def urls(mariadb) -> dict[str, str]:  # noqa: F811  (the fixture)
    """An API database and the first of two cells."""
    return empty_databases(mariadb, "nova", cells=2)


@pytest.fixture(scope="module")
def ports(urls, tmp_path_factory) -> Iterator[Ports]:
    """Nova's port and ours."""
    with (
        a_lab(needed(), FITTING.values(), databases=urls, cells=2) as real,
        both(real, tmp_path_factory.mktemp("ours")) as found,
    ):
        yield found


@pytest.mark.parametrize("name", FITTING)
def test_no_guest_can_tell(name, ports):
    """Every path of every version gives the same status, type and body."""
    assert differences(ports, FITTING[name]) == {}


@pytest.mark.usefixtures("ports")
def test_the_servers_are_in_two_cells(urls):
    """Each cell's database has its half, and the other's are not in it."""
    found = [_servers(urls["database"] + behind) for behind in ("", "_cell2")]
    assert found[0].isdisjoint(found[1])
    assert abs(len(found[0]) - len(found[1])) <= 1
    assert found[0] | found[1] == {kind.instance["uuid"] for kind in FITTING.values()}


def _servers(url: str) -> set[str]:
    engine = create_engine(url)
    with engine.connect() as connection:
        rows = set(connection.execute(text("SELECT uuid FROM instances")).scalars())
    engine.dispose()
    return rows
