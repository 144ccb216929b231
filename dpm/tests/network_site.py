"""Two agents with a machine each, for what the cloud's own do not show: `sub1` has a z17, `old` a
z13; each is cabled to the networks red and blue.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from cloud import ini
from cloud.ground import Ground
from cloud.program import Program
from cloud.walk import PATIENCE
from cloud.whole import Cloud
from firstlight_dpm.backing import Backing
from firstlight_dpm.hmc import Hmc
from firstlight_dpm.mock import Served, serve
from lab.real_neutron import RealNeutron
from plugging import Subset, login_of
from servers import eventually

MACHINES = {"sub1": "z17", "old": "z13"}
#: Adapter and port that each physical network is on.
CABLED = {"red": ("osa-1", "0"), "blue": ("osa-2", "1")}


@dataclass
class Site:
    """What there is, and what is asked of it."""

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


@contextmanager
def site_in(cloud: Cloud, directory: Path) -> Iterator[Site]:
    """Two agents more, with a machine each, until the block ends; both have reported."""
    with ExitStack() as stack:
        machines = {}
        for host, machine in MACHINES.items():
            (directory / host).mkdir()
            machines[host] = stack.enter_context(serve(machine, directory / host))
        agents = {host: make_agent(cloud.ground, host, machines[host]) for host in machines}
        for program in agents.values():
            stack.callback(program.kill)
            program.start()
        site = Site(cloud.networks.neutron, machines, agents)
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


def make_agent(ground: Ground, host: str, served: Served) -> Program:
    """The agent of one subset, as its unit starts it; not started."""
    room = ground.room(host)
    lines = [f"{net}:{served.machine.id(name)}:{port}" for net, (name, port) in CABLED.items()]
    conf = ini.write(
        room / "agent.conf",
        {
            "DEFAULT": {"host": host, "transport_url": ground.bus, "state_path": str(room)},
            "AGENT": {"polling_interval": "1", "report_interval": "2", "quitting_rpc_timeout": "1"},
            "dpm": {**served.options, "physical_network_adapter_mappings": lines},
        },
    )
    return ground.program(room, "neutron-dpm-agent", "--config-file", conf)
