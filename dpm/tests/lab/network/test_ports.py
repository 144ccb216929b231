"""Real Neutron, the ML2 driver and the agent: a port is up as long as its NIC is there."""

import subprocess
from pathlib import Path
from uuid import uuid4

from cloud.walk import PATIENCE
from firstlight_dpm.backing import Backing
from firstlight_dpm.mock.faults import Fault
from lab.uwsgi import environment_of
from network_site import Site
from support.servers.databases import eventually


def test_agents(site: Site) -> None:
    """Each agent shows its type, its mappings as they were resolved, and what its NICs can."""
    for host in site.agents:
        agent = site.agent(host)
        red, blue = (str(site.backing(host, network)) for network in ("red", "blue"))
        assert agent["agent_type"] == "DPM agent"
        assert agent["binary"] == "neutron-dpm-agent"
        assert agent["alive"] is True
        assert agent["configurations"]["adapter_mappings"] == {"red": [red], "blue": [blue]}
        assert agent["configurations"]["nic_vlan"] is (host != "old")
        assert agent["configurations"]["extensions"] == []


def test_what_the_agent_says(site: Site) -> None:
    """Where each network is; and not, at each look, that it looks."""
    for host, agent in site.agents.items():
        said = agent.said(100_000)
        where = site.backing(host, "red").named
        assert f"host {host}: network red is on {where}" in said
        assert "iteration" not in said


def test_binding(site: Site) -> None:
    """A port is bound to what its network is cabled to: a switch, or on a z17 an adapter's port."""
    for host, vif_type in (("old", "dpm_vswitch"), ("sub1", "dpm_adapter")):
        port = site.port(host, network="blue")
        assert port["binding:vif_type"] == vif_type
        details = port["binding:vif_details"]
        assert Backing.of_vif(vif_type, details) == site.backing(host, "blue")
        assert details["port_filter"] is False
        assert details["connectivity"] == "l2"
        assert "vlan" not in details
        assert port["security_groups"]  # which nobody enforces: port_filter says so


def test_vlan(site: Site) -> None:
    """A VLAN is bound on a z17, with its id, and not on a z13; and no other port is in it."""
    on_z17, on_z13 = site.port(network="vlan"), site.port("old", network="vlan")
    assert on_z17["binding:vif_type"] == "dpm_adapter"
    assert on_z17["binding:vif_details"]["vlan"] == 1234
    assert on_z13["binding:vif_type"] == "binding_failed"
    assert "vlan" not in site.port()["binding:vif_details"]


def test_foreign_mac(site: Site) -> None:
    """A MAC address that the adapters refuse fails to bind, not to boot."""
    assert site.port(mac_address="00:11:22:33:44:55")["binding:vif_type"] == "binding_failed"


def test_up_and_down(site: Site) -> None:
    """A port is ACTIVE when its NIC appears and DOWN when it goes, on each machine."""
    for host in site.agents:
        port = site.port(host)
        assert site.status(port) == "DOWN"
        nic = site.plug(port, host)
        assert site.becomes(port, "ACTIVE"), site.agents[host].said()
        nic.delete()
        assert site.becomes(port, "DOWN"), site.agents[host].said()


def test_vlan_is_up(site: Site) -> None:
    """A port in a VLAN comes up as any other."""
    port = site.port(network="vlan")
    site.plug(port)
    assert site.becomes(port, "ACTIVE")


def test_equal_macs(site: Site) -> None:
    """Two ports with one MAC address, on two networks: only the one that has a NIC is up."""
    port = site.port()
    twin = site.port(network="blue", mac_address=port["mac_address"])
    site.plug(twin, physnet="blue")
    assert site.becomes(twin, "ACTIVE")
    assert site.status(port) == "DOWN"


def test_on_the_wrong_network(site: Site) -> None:
    """A port whose NIC is on another network stays DOWN, until the NIC is made anew on its own."""
    port = site.port()
    nic = site.plug(port, physnet="blue")
    assert site.hears("sub1", f"port {port['id']}: its NIC is plugged into")
    assert site.becomes(port, "DOWN")
    nic.delete()
    site.plug(port)
    assert site.becomes(port, "ACTIVE")


def test_switched_off(site: Site) -> None:
    """A port that is disabled goes DOWN, and ACTIVE when it is enabled: the agent hears of it, and
    says that it keeps nothing from its network."""
    port = site.port()
    site.plug(port)
    assert site.becomes(port, "ACTIVE")
    site.neutron.change("port", port["id"], admin_state_up=False)
    assert site.becomes(port, "DOWN")
    assert site.hears("sub1", f"port {port['id']} is disabled, and its NIC works on")
    site.neutron.change("port", port["id"], admin_state_up=True)
    assert site.becomes(port, "ACTIVE")


def test_hmc_outage(site: Site) -> None:
    """While the HMC is away ports stay as they were and the agent is alive; what happened
    meanwhile counts as soon as it is back."""
    port, other = site.port(), site.port()
    nic = site.plug(port)
    assert site.becomes(port, "ACTIVE")
    console = site.machines["sub1"].console
    console.faults.add(Fault(drop=True))
    try:
        # Nobody can ask the HMC, so this happens on it by itself.
        console.mock.delete(nic.uri)
        heartbeat = site.agent("sub1")["heartbeat_timestamp"]
        assert site.hears("sub1", "Ports stay as they are")
        assert site.beats("sub1", heartbeat, 3)
        assert site.status(port) == "ACTIVE"
    finally:
        console.faults.clear()
    site.plug(other)
    assert site.becomes(port, "DOWN")
    assert site.becomes(other, "ACTIVE")
    assert "The HMC tells again" in site.agents["sub1"].log.read_text()


def test_agent_restarts(site: Site) -> None:
    """A port stays ACTIVE over the agent's end and its new start, but for the moment in which
    Neutron calls it BUILD, and is watched again after it."""
    port, later = site.port(), site.port()
    nic = site.plug(port)
    assert site.becomes(port, "ACTIVE")
    agent = site.agents["sub1"]
    agent.stop()
    site.plug(later)
    agent.start()
    seen = set()

    def up() -> bool:
        seen.add(site.status(port))
        return site.status(later) == "ACTIVE"

    assert eventually(up, PATIENCE)
    assert site.becomes(port, "ACTIVE")
    assert seen <= {"ACTIVE", "BUILD"}
    nic.delete()
    assert site.becomes(port, "DOWN")


def test_it_does_not_start(site: Site, tmp_path: Path) -> None:
    """What cannot work ends the agent with code 1 and one line that says what to change."""
    conf = tmp_path / "agent.conf"
    made = (site.agents["sub1"].log.parent / "agent.conf").read_text()
    conf.write_text(made + f"[dpm]\nphysical_network_adapter_mappings = green:{uuid4()}\n")
    done = subprocess.run(
        [site.ground.environment / "bin" / "neutron-dpm-agent", "--config-file", conf],
        env=environment_of(site.ground.environment),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert done.returncode == 1
    last = done.stdout.strip().splitlines()[-1]
    assert (
        "neutron-dpm-agent does not start: [dpm] physical_network_adapter_mappings: green" in last
    )
    assert "the machine has no adapter" in last
