"""Real Nova and ours on two cells, real Neutron and Keystone, memcached: all of them can go away.

Cell 1 and the API database are SQLite files, cell 2 is a MariaDB, so that it can go alone.
"""

import json
import sqlite3
import threading
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conformance.processes import Service, running
from lab.asking import Client, signature, signed
from lab.cloud import Cloud
from lab.keystone import REGION
from lab.kinds.kind import PROJECT, Kind, server
from lab.nova import SECRET, Nova
from lab.on_mariadb import empty_databases
from lab.serving import Asked, Reply, serving
from support.servers.daemons import Daemon
from support.servers.databases import Server

# By cell. The first of each is known before an outage; of the others one is asked about in each
# test for the first time.
HERE, *NEW_HERE = (Kind(f"here {number}", server(number)) for number in range(201, 205))
THERE, *NEW_THERE = (Kind(f"there {number}", server(number)) for number in range(205, 209))
META_DATA = "/openstack/latest/meta_data.json"
GROUPS = "/latest/meta-data/security-groups"
VENDOR = "/openstack/latest/vendor_data2.json"
_CELL2 = "00000001-0000-4000-8000-0000000000c2"


class NovaWithAuth(Nova):
    """Nova with credentials for its vendordata targets."""

    def __init__(self, *arguments: Any, cloud: Cloud, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self._cloud = cloud

    def configure(
        self,
        api: Mapping[str, str],
        *,
        sections: Mapping[str, Mapping[str, str]] | None = None,
        **neutron: str,
    ) -> Path:
        """The file, with one section more."""
        path = super().configure(api, sections=sections, **neutron)
        options = self._cloud.keystone.credentials("nova", "service")
        lines = "".join(f"{name} = {value}\n" for name, value in options.items())
        path.write_text(f"{path.read_text()}\n[vendordata_dynamic_auth]\n{lines}")
        return path


@dataclass
class World:
    """Everything that may be away, and how to ask both services."""

    cloud: Cloud
    mariadb: Server
    memcached: Daemon
    nova: Nova
    directory: Path
    target: str  # URL of a vendordata target that wants a token

    @contextmanager
    def services(self, home: Path) -> "Iterator[Pair]":
        """Both, from one nova.conf. Nova remembers nothing, so that it says what it would cold."""
        api = {
            "vendordata_providers": "DynamicJSON",
            "vendordata_dynamic_targets": f"site@{self.target}",
        }
        neutron = {**self.cloud.keystone.credentials("admin", "admin"), "region_name": REGION}
        with self.nova.serving(api, **neutron) as novas, self.ours(home) as ours:
            yield Pair(novas, ours)

    @contextmanager
    def ours(self, home: Path) -> Iterator[Service]:
        """Ours alone, from the nova.conf that Nova was started with last."""
        home.mkdir(exist_ok=True)
        more = home / "ours.conf"
        more.write_text(
            "[api]\nmetadata_cache_expiration = 1\n[firstlight]\nneutron_deadline = 6\n"
            "[cache]\nenabled = true\nbackend = oslo_cache.memcache_pool\n"
            f"memcache_servers = 127.0.0.1:{self.memcached.port}\n"
        )
        files = [self.directory / "here" / "nova.conf", more]
        with running("firstlight", home, home / "unused.sqlite", files) as service:
            yield service


@dataclass
class Pair:
    """The two services."""

    novas: int
    ours: Service

    def statuses(self, kind: Kind, path: str = META_DATA) -> tuple[int | None, int | None]:
        """Nova's and ours; None is a connection that was closed without a word."""
        return ask(self.novas, kind, path)[0], ask(self.ours.port, kind, path)[0]


def ask(port: int, kind: Kind, path: str = META_DATA) -> tuple[int | None, bytes]:
    """Status and body, asked as Neutron's agent asks."""
    headers = signed(kind.instance["uuid"], PROJECT, SECRET, "192.0.2.1")
    with Client(port) as client:
        reply = client.ask(path, headers.items())
    return reply.status, reply.body


def ask_as_balancer(port: int) -> int | None:
    """The status of a request of a load balancer that Neutron has to be asked about."""
    headers = {
        "X-Metadata-Provider": "lb",
        "X-Metadata-Provider-Signature": signature(SECRET, "lb"),
        "X-Forwarded-For": "10.7.0.200",
    }
    with Client(port) as client:
        return client.ask(META_DATA, headers.items()).status


def readyz(service: Service) -> tuple[int | None, dict[str, Any]]:
    """What the service says of itself."""
    with Client(service.status_port) as client:
        reply = client.ask("/readyz", ())
    return reply.status, json.loads(reply.body)


@contextmanager
def a_world(
    environment: Path, directory: Path, cloud: Cloud, mariadb: Server, memcached: Daemon
) -> Iterator[World]:
    """Two cells, made by Nova itself, behind one API database."""
    nova = _two_cells(environment, directory, cloud, empty_databases(mariadb, "outages"))
    _ports(cloud)
    with serving(_site) as url:
        yield World(cloud, mariadb, memcached, nova, directory, f"{url}/site")


def _site(request: Asked) -> Reply:
    """A target that answers whoever shows a token."""
    if request.headers.get("X-Auth-Token"):
        return Reply(200, b'{"rack": 7}')
    return Reply(401, b"{}")


def _two_cells(environment: Path, directory: Path, cloud: Cloud, databases: dict[str, str]) -> Nova:
    """Two Novas are made at once; then the first one's API database learns of the second's cell."""
    homes = {name: directory / name for name in ("here", "there")}
    for home in homes.values():
        home.mkdir()
    there_api = homes["there"] / "api.sqlite"
    here = NovaWithAuth(environment, homes["here"], neutron=cloud.neutron.url, cloud=cloud)
    there = Nova(
        environment,
        homes["there"],
        neutron=cloud.neutron.url,
        databases={**databases, "api_database": f"sqlite:///{there_api}"},
    )
    makers = [
        threading.Thread(target=nova.make_instances, args=(kinds,))
        for nova, kinds in ((here, (HERE, *NEW_HERE)), (there, (THERE, *NEW_THERE)))
    ]
    for maker in makers:
        maker.start()
    for maker in makers:
        maker.join()
    _adopt(homes["here"] / "api.sqlite", there_api)
    return here


def _adopt(api: Path, other: Path) -> None:
    """Copy the other's mappings of its cell 1 and of its instances; here that is cell 2."""
    with closing(sqlite3.connect(other)) as connection:
        [(url,)] = connection.execute(
            "SELECT database_connection FROM cell_mappings WHERE name = 'cell1'"
        )
    with closing(sqlite3.connect(api, isolation_level=None)) as connection:
        connection.execute(
            "INSERT INTO cell_mappings (id, uuid, name, transport_url, database_connection,"
            " disabled) VALUES (9, ?, 'cell2', 'fake:///', ?, 0)",
            (_CELL2, url),
        )
        for kind in (THERE, *NEW_THERE):
            connection.execute(
                "INSERT INTO instance_mappings (instance_uuid, cell_id, project_id,"
                " queued_for_delete) VALUES (?, 9, ?, 0)",
                (kind.instance["uuid"], PROJECT),
            )


def _ports(cloud: Cloud) -> None:
    """One port for each server, in a group called web."""
    neutron = cloud.neutron
    network = neutron.make("network", name="outages")["id"]
    neutron.make("subnet", network_id=network, cidr="10.7.0.0/24", ip_version=4, name="lb")
    group = neutron.make("security_group", name="web")["id"]
    for kind in (HERE, THERE, *NEW_HERE, *NEW_THERE):
        neutron.make(
            "port",
            network_id=network,
            device_id=kind.instance["uuid"],
            device_owner="compute:nova",
            security_groups=[group],
        )
