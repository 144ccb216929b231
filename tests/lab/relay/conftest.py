"""A real Neutron with its RPC server, and ports in networks that overlap."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from firstlight.relay.contract import Guest, Origin, Via
from lab.a_keystone import a_keystone
from lab.environment import needed
from lab.keystone import Keystone
from lab.neutron_rpc import NeutronRpc
from lab.real_neutron import RealNeutron
from support.servers.daemons import Daemon, rabbitmq  # noqa: F401  (a fixture)
from support.servers.databases import Server, free_port, mariadb  # noqa: F401  (a fixture)


@pytest.fixture(scope="session")
def keystone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Keystone]:
    """Of this Neutron alone: no other test may find it in its catalog."""
    yield from a_keystone(tmp_path_factory)


@dataclass
class Town:
    """Networks, routers and ports by name, as Neutron shows them."""

    neutron: RealNeutron
    rpc: NeutronRpc
    directory: Path
    transport_url: str
    networks: dict[str, str] = field(default_factory=dict)
    routers: dict[str, str] = field(default_factory=dict)
    ports: dict[str, dict[str, Any]] = field(default_factory=dict)

    def network(self, name: str) -> None:
        self.networks[name] = self.neutron.make("network")["id"]

    def subnet(self, network: str, cidr: str, router: str = "") -> None:
        made = self.neutron.make(
            "subnet",
            network_id=self.networks[network],
            cidr=cidr,
            ip_version=6 if ":" in cidr else 4,
        )
        if router:
            self.attach(router, made["id"])

    def attach(self, router: str, subnet_id: str) -> None:
        if router not in self.routers:
            self.routers[router] = self.neutron.make("router")["id"]
        self.neutron.attach(self.routers[router], subnet_id)

    def port(self, name: str, network: str, *addresses: str, **more: Any) -> None:
        fields = {"device_id": str(uuid4()), "device_owner": "compute:nova", **more}
        self.ports[name] = self.neutron.make(
            "port",
            network_id=self.networks[network],
            fixed_ips=[{"ip_address": address} for address in addresses],
            **fields,
        )

    def on(self, network: str, address: str) -> Guest:
        """A guest on a network."""
        return Guest(Origin(Via.NETWORK, self.networks[network]), ip_address(address))

    def behind(self, router: str, address: str) -> Guest:
        """A guest behind a router."""
        return Guest(Origin(Via.ROUTER, self.routers[router]), ip_address(address))


def _furnish(town: Town) -> None:
    for name in ("red", "blue", "green", "wide"):
        town.network(name)
    town.subnet("red", "10.0.0.0/24", router="red")
    town.subnet("red", "fd00:1::/64", router="red")
    town.subnet("blue", "10.0.0.0/24", router="blue")
    town.subnet("green", "10.2.0.0/24", router="red")
    town.subnet("wide", "10.3.0.0/24", router="red")
    town.subnet("wide", "10.2.0.0/24")  # not behind the router, but on a network that is
    town.port("red", "red", "10.0.0.11", "fd00:1::11")
    town.port("twin", "blue", "10.0.0.11", mac_address=town.ports["red"]["mac_address"])
    town.port("green", "green", "10.2.0.20")
    town.port("double", "green", "10.2.0.30")
    town.port("double too", "wide", "10.2.0.30")
    town.port("reserved", "red", "10.0.0.40", device_id="", device_owner="")
    town.port("dhcp", "red", "10.0.0.2", device_id="dhcp-x", device_owner="network:dhcp")
    for number in range(50, 90):
        town.port(f"red {number}", "red", f"10.0.0.{number}")


@pytest.fixture(scope="session")
def town(
    keystone: Keystone,
    rabbitmq: Daemon,  # noqa: F811  a fixture
    mariadb: Server,  # noqa: F811  a fixture
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Town]:
    """Two tenants with equal addresses and MACs, routers, an address that two ports have."""
    environment = needed()
    directory = tmp_path_factory.mktemp("neutron-rpc")
    url = f"rabbit://guest:guest@127.0.0.1:{rabbitmq.port}/"
    options = {
        "transport_url": url,
        "rpc_workers": "1",
        "rpc_response_timeout": "60",
        # Agents serve what a test gives them, and nothing else of the town.
        "network_auto_schedule": "false",
        "router_auto_schedule": "false",
    }
    database = mariadb.database("neutron_of_the_town")
    neutron = RealNeutron(environment, directory, free_port(), keystone, options, database=database)
    rpc = NeutronRpc(environment, directory)
    try:
        neutron.create()
        rpc.start()
        town = Town(neutron, rpc, directory, url)
        _furnish(town)
        yield town
    finally:
        rpc.stop()
        neutron.stop()
