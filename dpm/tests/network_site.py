"""A real Neutron 29 with our ML2 driver, its RPC server on a real RabbitMQ, and two agents.

`sub1` has a z17, `old` a z13; dpm/tests/lab/cloud has two subsets on one machine.
"""

import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from cloud import ini
from cloud.program import Program
from daemons import Daemon, rabbitmq  # noqa: F401  (a fixture)
from firstlight_dpm.backing import Backing
from firstlight_dpm.hmc import Hmc
from firstlight_dpm.mock import Served, serve
from lab.neutron_rpc import NeutronRpc
from lab.real_neutron import RealNeutron
from lab.uwsgi import environment_of
from plugging import Subset, login_of
from servers import Server, eventually, free_port, mariadb  # noqa: F401  (a fixture)

PATIENCE = 120  # seconds; a busy machine imports Neutron for half a minute
ENVIRONMENT = Path(sys.prefix)

#: Adapter and port that each physical network is on.
CABLED = {"red": ("osa-1", "0"), "blue": ("osa-2", "1")}

_LAST = """
[DEFAULT]
auth_strategy = noauth
[ml2]
type_drivers = flat,vlan
tenant_network_types = flat
[ml2_type_flat]
flat_networks = red,blue
[ml2_type_vlan]
network_vlan_ranges = red
"""


class NoKeystone:
    """In its place: Neutron has ``auth_strategy = noauth``, and asks nobody who one is."""

    url = "http://127.0.0.1:9/v3"

    def credentials(self, *_who: str, **_more: str) -> dict[str, str]:
        """None are needed."""
        return {}

    def call(self, *_request: Any) -> dict[str, Any]:
        """There is no catalog to announce anything in."""
        return {"service": {"id": ""}}


class Neutron(RealNeutron):
    """Its ML2 knows flat networks and VLANs; whoever asks is an administrator."""

    def configure(self, **options: str) -> None:
        """What is written last counts."""
        super().configure(**options)
        with (self._directory / "neutron.conf").open("a") as conf:
            conf.write(_LAST)


@dataclass
class Site:
    """What there is, and what is asked of it."""

    neutron: Neutron
    machines: dict[str, Served]  # by the name of the subset
    agents: dict[str, Program]
    subsets: dict[str, Subset] = field(default_factory=dict)
    networks: dict[str, str] = field(default_factory=dict)

    def agent(self, host: str) -> dict[str, Any]:
        """As Neutron shows it; empty if it has not reported yet."""
        found = self.neutron.ask(f"agents?host={host}").json()["agents"]
        return dict(found[0]) if found else {}

    def port(self, host: str = "sub1", network: str = "red", **more: Any) -> dict[str, Any]:
        """A new port that Nova has put on this host."""
        return dict(
            self.neutron.make(
                "port",
                network_id=self.networks[network],
                device_id=str(uuid4()),
                device_owner="compute:nova",
                **{"binding:host_id": host, **more},
            )
        )

    def status(self, port: dict[str, Any]) -> str:
        """What Neutron says of it now."""
        return str(self.neutron.ask(f"ports/{port['id']}").json()["port"]["status"])

    def becomes(self, port: dict[str, Any], status: str) -> bool:
        """Whether it comes to that."""
        return eventually(lambda: self.status(port) == status, PATIENCE)

    def backing(self, host: str, physnet: str) -> Backing:
        """What NICs on this network are plugged into, as far as the HMC knows."""
        adapter, port = CABLED[physnet]
        machine = self.machines[host].machine
        if machine.adapter_ports:
            return Backing(machine.id(adapter), port)
        return Backing(machine.id(f"{adapter}/{port}/virtual-switch"))

    def plug(self, port: dict[str, Any], host: str = "sub1", physnet: str = "red") -> Any:
        """A NIC for the port, in a new partition, as the Nova driver makes it."""
        subset = self.subsets[host]
        return subset.nic(subset.partition(), self.backing(host, physnet), port["id"])

    def hears(self, host: str, words: str) -> bool:
        """Whether the agent's log comes to say that."""
        log = self.agents[host].log
        return eventually(lambda: words in log.read_text(), PATIENCE)

    def beats(self, host: str, since: str, times: int) -> bool:
        """Whether the agent reports so many times after `since`."""
        seen: set[str] = set()

        def enough() -> bool:
            seen.add(str(self.agent(host)["heartbeat_timestamp"]))
            return len(seen - {since}) >= times

        return eventually(enough, PATIENCE)

    def restarted(self, host: str, before: str) -> bool:
        """Whether the agent has started after `before`."""
        return eventually(lambda: self.agent(host)["started_at"] != before, PATIENCE)

    def rounds(self, host: str, count: int = 2) -> bool:
        """Whether the agent looks at the HMC so many times more."""
        console = self.machines[host].console

        def looks() -> int:
            return sum(uri == "/api/services/inventory" for _, uri in list(console.requests))

        wanted = looks() + count
        return eventually(lambda: looks() >= wanted, PATIENCE)


@pytest.fixture(scope="session")
def site(
    rabbitmq: Daemon,  # noqa: F811
    mariadb: Server,  # noqa: F811
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Site]:
    """Everything runs, and every agent has reported."""
    directory = tmp_path_factory.mktemp("dpm-neutron")
    bus = f"rabbit://guest:guest@127.0.0.1:{rabbitmq.port}/"
    with ExitStack() as stack:
        new = stack.enter_context(serve("z17", tmp_path_factory.mktemp("z17")))
        old = stack.enter_context(serve("z13", tmp_path_factory.mktemp("z13")))
        machines = {"sub1": new, "old": old}
        agents = {host: make_agent(directory, bus, host, machines[host]) for host in machines}
        neutron = Neutron(
            ENVIRONMENT,
            directory,
            free_port(),
            NoKeystone(),  # type: ignore[arg-type]
            {"transport_url": bus, "rpc_workers": "1", "service_plugins": ""},
            drivers="dpm",
            database=mariadb.database("neutron_dpm"),
        )
        stack.callback(neutron.stop)
        rpc = NeutronRpc(ENVIRONMENT, directory)
        stack.callback(rpc.stop)
        for program in agents.values():
            stack.callback(program.kill)
            program.start()
        neutron.create()
        rpc.start()
        site = Site(neutron, machines, agents)
        for host, served in machines.items():
            hmc = Hmc(login_of(served))
            stack.callback(hmc.close)
            site.subsets[host] = Subset(hmc, host)
            if not eventually(lambda host=host: site.agent(host).get("alive"), PATIENCE):
                pytest.fail(f"the agent of {host} does not report:\n{agents[host].said()}")
        furnish(site)
        yield site


def furnish(site: Site) -> None:
    """Flat networks red and blue, and a VLAN on red's adapter."""
    shapes = {
        "red": {"provider:network_type": "flat", "provider:physical_network": "red"},
        "blue": {"provider:network_type": "flat", "provider:physical_network": "blue"},
        "vlan": {
            "provider:network_type": "vlan",
            "provider:physical_network": "red",
            "provider:segmentation_id": 1234,
        },
    }
    for name, shape in shapes.items():
        site.networks[name] = site.neutron.make("network", name=name, **shape)["id"]


def make_agent(directory: Path, bus: str, host: str, served: Served) -> Program:
    """The agent of one subset, as its unit starts it; not started."""
    room = directory / host
    room.mkdir()
    lines = [f"{net}:{served.machine.id(name)}:{port}" for net, (name, port) in CABLED.items()]
    conf = ini.write(
        room / "agent.conf",
        {
            "DEFAULT": {"host": host, "transport_url": bus, "state_path": str(room)},
            "AGENT": {
                "polling_interval": "1",
                "report_interval": "2",
                "quitting_rpc_timeout": "1",
            },
            "dpm": {
                **served.options,
                "hmc_read_timeout": "10",
                "physical_network_adapter_mappings": lines,
            },
        },
    )
    command = [ENVIRONMENT / "bin" / "neutron-dpm-agent", "--config-file", conf]
    return Program(command, room, "agent", variables=environment_of(ENVIRONMENT))
