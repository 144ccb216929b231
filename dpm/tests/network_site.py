"""Neutron, and two agents with a machine each: `sub1` has a z17, `old` a z13; each is cabled to the
networks red and blue.

Beside dpm, Neutron has the driver openvswitch, which no agent is there for: without it, it would
not load the trunk plugin.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from cloud import ini
from cloud.ground import Ground, lay
from cloud.program import Program
from cloud.walk import PATIENCE
from firstlight_dpm.backing import Backing
from firstlight_dpm.hmc import Hmc
from firstlight_dpm.mock import Served, serve
from lab.neutron_rpc import NeutronRpc
from lab.real_neutron import RealNeutron
from plugging import Subset, login_of
from support.servers.daemons import Daemon
from support.servers.databases import eventually, free_port

MACHINES = {"sub1": "z17", "old": "z13"}
#: Adapter and port that each physical network is on.
CABLED = {"red": ("osa-1", "0"), "blue": ("osa-2", "1")}
#: Whoever lost the bus looks for it again that often, in seconds; as it is, ever more seldom.
SOON = {"oslo_messaging_rabbit": {"rabbit_interval_max": "2"}}


@dataclass
class Site:
    """What there is, and what is asked of it."""

    ground: Ground
    broker: Daemon
    neutron: RealNeutron
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

    def neutron_says(self, words: str) -> bool:
        """Whether it is in the log of Neutron's API."""
        return words in (self.ground.directory / "neutron" / "neutron.log").read_text()

    def passes(self, host: str) -> None:
        """Return when the agent has done all that it had to do before this was called."""
        for _ in range(2):  # the first may have joined what was under way
            port = self.port(host)
            self.plug(port, host)
            assert self.becomes(port, "ACTIVE"), self.agents[host].said()

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


@contextmanager
def site_in(directory: Path) -> Iterator[Site]:
    """Everything, until the block ends; both agents have reported."""
    with ExitStack() as stack:
        ground, broker = lay(directory, stack)
        neutron = _neutron(ground, stack)
        machines = {}
        for host, machine in MACHINES.items():
            (directory / f"{host}-machine").mkdir()
            machines[host] = stack.enter_context(serve(machine, directory / f"{host}-machine"))
        agents = {host: make_agent(ground, host, machines[host]) for host in machines}
        for program in agents.values():
            stack.callback(program.kill)
            program.start()
        site = Site(ground, broker, neutron, machines, agents)
        for host, served in machines.items():
            hmc = Hmc(login_of(served))
            stack.callback(hmc.close)
            site.subsets[host] = Subset(hmc, host)
            if not eventually(lambda host=host: site.agent(host).get("alive"), PATIENCE):
                pytest.fail(f"the agent of {host} does not report:\n{agents[host].said()}")
        furnish(site)
        yield site


def _neutron(ground: Ground, stack: ExitStack) -> RealNeutron:
    """Its API and its RPC server, which serve."""
    room = ground.room("neutron")
    # An agent that is away is seen to be soon.
    options = {"transport_url": ground.bus, "agent_down_time": "15", "service_plugins": "trunk"}
    neutron = RealNeutron(
        ground.environment,
        room,
        free_port(),
        ground.keystone,
        {**options, "rpc_workers": "1"},
        drivers="openvswitch,dpm",
        database=ground.database.database("neutron"),
        sections=ini.text({**SOON, "ml2_type_vlan": {"network_vlan_ranges": "red"}}),
    )
    rpc = NeutronRpc(ground.environment, room)
    stack.callback(rpc.stop)
    stack.callback(neutron.stop)
    neutron.create()
    rpc.start()
    return neutron


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


def make_agent(ground: Ground, host: str, served: Served, room: str = "") -> Program:
    """The agent of one subset, as its unit starts it; not started."""
    directory = ground.room(room or host)
    lines = [f"{net}:{served.machine.id(name)}:{port}" for net, (name, port) in CABLED.items()]
    conf = ini.write(
        directory / "agent.conf",
        {
            "DEFAULT": {
                "host": host,
                "transport_url": ground.bus,
                "state_path": str(directory),
                "rpc_response_timeout": "5",  # what was asked as the bus broke is not answered
            },
            "AGENT": {"polling_interval": "1", "report_interval": "2", "quitting_rpc_timeout": "1"},
            "dpm": {**served.options, "physical_network_adapter_mappings": lines},
        },
        SOON,
    )
    return ground.program(directory, "neutron-dpm-agent", "--config-file", conf)
