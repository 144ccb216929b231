"""One cloud for the tests of this directory, and what is in it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import pytest

from lab.cloud import Cloud
from lab.environment import NoLab, lab
from lab.network.outages import Pair, World, a_world
from support.parts import absent
from support.servers.daemons import Daemon, memcached_at
from support.servers.daemons import running as running_daemon
from support.servers.databases import mariadb  # noqa: F401  (a fixture)


@dataclass
class Town:
    """Instances by name, each with its ports; networks, projects and groups behind them."""

    cloud: Cloud
    projects: dict[str, str] = field(default_factory=dict)
    instances: dict[str, str] = field(default_factory=dict)

    def network(self, project: str, *subnets: str, provider: str = "") -> str:
        """A network with a subnet for each CIDR, served by `provider`."""
        neutron = self.cloud.neutron
        network = neutron.make("network", project_id=self.projects[project])
        for cidr in subnets:
            version = 6 if ":" in cidr else 4
            ours: dict[str, Any] = {"project_id": self.projects[project], "name": provider}
            neutron.make("subnet", network_id=network["id"], cidr=cidr, ip_version=version, **ours)
        return str(network["id"])

    def group(self, project: str, name: str) -> str:
        """A security group's id."""
        fields = {"name": name, "project_id": self.projects[project]}
        return str(self.cloud.neutron.make("security_group", **fields)["id"])

    def port(self, instance: str, project: str, network: str, *addresses: str, **more: Any) -> str:
        """A port of an instance; an empty name is nobody's."""
        fixed = [{"ip_address": address} for address in addresses]
        fields = {"fixed_ips": fixed} if fixed else {}
        device = self.instances.setdefault(instance, str(uuid4())) if instance else ""
        made = self.cloud.neutron.make(
            "port",
            network_id=network,
            project_id=self.projects[project],
            device_id=device,
            device_owner="compute:nova" if device else "",
            **fields,
            **more,
        )
        return str(made["id"])


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """Real Keystone and real Neutron."""
    try:
        environment = lab()
    except NoLab as error:
        absent(str(error))
    made = Cloud(environment, tmp_path_factory.mktemp("cloud"))
    try:
        made.create()
        yield made
    finally:
        made.stop()


@pytest.fixture(scope="session")
def town(cloud: Cloud) -> Town:
    """Two projects with equal addresses, instances with one to three ports, many groups."""
    town = Town(cloud, {"red": uuid4().hex, "blue": uuid4().hex})
    red = town.network("red", "10.0.0.0/24", "fd00:1::/64", provider="lb-red")
    blue = town.network("blue", "10.0.0.0/24", provider="lb-blue")
    both = town.network("blue", "10.1.0.0/24", provider="lb-blue")
    web, db = town.group("red", "web"), town.group("red", "db")
    nameless, umlaut = town.group("red", ""), town.group("red", "grün €")
    web2 = town.group("blue", "web")

    town.port("one", "red", red, "10.0.0.11", "fd00:1::11", security_groups=[web])
    town.port("many", "red", red, "10.0.0.12", security_groups=[web, db, umlaut])
    town.port("many", "red", red, "10.0.0.13", security_groups=[db, nameless])
    town.port("many", "red", red, "10.0.0.14", security_groups=[web])
    town.port("default", "blue", blue, "10.0.0.12")
    town.port("none", "blue", both, "10.1.0.5", security_groups=[])
    town.port("two nets", "blue", blue, "10.0.0.20", security_groups=[web2])
    town.port("two nets", "blue", both, "10.1.0.20", security_groups=[web2, web])
    town.port("", "blue", blue, "10.0.0.30")
    town.instances["no ports"] = str(uuid4())
    return town


@pytest.fixture(scope="session")
def memcached() -> Iterator[Daemon]:
    """A running memcached."""
    yield from running_daemon(memcached_at)


@pytest.fixture(scope="session")
def world(cloud, mariadb, memcached, tmp_path_factory) -> Iterator[World]:  # noqa: F811  a fixture
    """Everything up."""
    directory = tmp_path_factory.mktemp("outages")
    with a_world(lab(), directory, cloud, mariadb, memcached) as made:
        yield made


@pytest.fixture(scope="session")
def pair(world: World) -> Iterator[Pair]:
    """Both services, never restarted."""
    with world.services(world.directory / "ours") as pair:
        yield pair
