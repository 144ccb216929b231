"""What all deployments stand on: one MariaDB with Nova's databases, one stand-in for the cloud."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url, text

from deployments.cloud import Cloud
from deployments.machine import Machine
from lab.environment import needed
from lab.kinds.table import KINDS
from lab.nova import Nova
from lab.serving import serving
from support.servers.daemons import memcached_at
from support.servers.daemons import running as running_daemon
from support.servers.databases import Server, mariadb  # noqa: F401  (a fixture)

SERVERS = [KINDS["full"], KINDS["minimal"]]
CELL_URL = "mysql+pymysql://nova:novapw@internal.example.org/nova"
ANYWHERE = "0.0.0.0"
_DATABASES = ("nova_api", "nova", "nova_cell0")


@pytest.fixture(scope="session")
def databases(mariadb: Server, tmp_path_factory: pytest.TempPathFactory) -> Server:  # noqa: F811  a fixture
    """Real Nova's, with two servers; the user of the deployments' files may use them."""
    urls = {name: mariadb.database(name) for name in _DATABASES}
    _execute(mariadb, *(f"ALTER DATABASE {name} CHARACTER SET utf8mb4" for name in urls))
    nova = Nova(
        needed(),
        tmp_path_factory.mktemp("nova"),
        neutron="http://127.0.0.1:1",
        databases={"api_database": urls["nova_api"], "database": urls["nova"]},
    )
    nova.make_instances(SERVERS)
    _execute(mariadb, "GRANT ALL ON *.* TO 'nova'@'%' IDENTIFIED BY 'novapw'")
    return mariadb


def map_cells(server: Server, url: str) -> None:
    """Where Nova finds its cells: cell0 as nova-manage names it, and the other at this URL."""
    cell0 = "UUID = '00000000-0000-0000-0000-000000000000'"
    change = "UPDATE nova_api.cell_mappings SET database_connection"
    _execute(
        server,
        f"{change} = '{CELL_URL}_cell0' WHERE {cell0}",
        f"{change} = '{url}' WHERE NOT {cell0}",
    )


def _execute(server: Server, *statements: str) -> None:
    engine = create_engine(server.url.format(database="mysql"))
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))
    engine.dispose()


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory for logs and environments."""
    return tmp_path_factory.mktemp("machine")


@pytest.fixture(scope="module")
def machine(home: Path) -> Iterator[Machine]:
    """A host without services."""
    with Machine(home) as made:
        yield made


@pytest.fixture(scope="module")
def furnished(machine: Machine, databases: Server) -> Iterator[Machine]:
    """The same with databases, memcached, Keystone and Neutron behind its addresses."""
    with serving(Cloud(SERVERS).answer) as url:
        cloud = int(url.rpartition(":")[2])
        for port in (5000, 9696):
            machine.host.reach(cloud, (ANYWHERE, port))
        machine.host.reach(make_url(databases.url).port, (ANYWHERE, 3306))
        for daemon in running_daemon(memcached_at):
            machine.host.reach(daemon.port, (ANYWHERE, 11211))
            machine.memcached = daemon
            yield machine
