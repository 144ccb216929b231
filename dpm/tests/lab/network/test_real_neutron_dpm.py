"""Real Neutron, our ML2 driver and our agent: a port is up as long as its NIC is there."""

from firstlight_dpm.mock.faults import Fault
from network_site import Site


def test_agents(site: Site) -> None:
    """Each agent shows its type, its mappings as they were resolved, and what its NICs can."""
    shown = {host: site.agent(host) for host in site.agents}
    for host, agent in shown.items():
        machine = site.machines[host].machine
        switches = ("osa-1/0/virtual-switch", "osa-2/1/virtual-switch")
        red, blue = (machine.id(name) for name in switches)
        assert agent["agent_type"] == "DPM agent"
        assert agent["binary"] == "neutron-dpm-agent"
        assert agent["alive"] is True
        assert agent["configurations"]["adapter_mappings"] == {"red": [red], "blue": [blue]}
        assert agent["configurations"]["nic_vlan"] is (host != "old")
        assert agent["configurations"]["extensions"] == []


def test_binding(site: Site) -> None:
    """A port is bound to the switch of its network, in both directions of the road to Nova."""
    port = site.port(network="blue")
    assert port["binding:vif_type"] == "dpm_vswitch"
    details = port["binding:vif_details"]
    assert details["object_id"] == site.backing("sub1", "blue").object_id
    assert details["port_filter"] is False
    assert details["connectivity"] == "l2"
    assert "vlan" not in details


def test_vlan(site: Site) -> None:
    """A VLAN is bound on a z14, with its id, and not on a z13."""
    on_z14, on_z13 = site.port(network="vlan"), site.port("old", network="vlan")
    assert on_z14["binding:vif_type"] == "dpm_vswitch"
    assert on_z14["binding:vif_details"]["vlan"] == 1234
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
    """A NIC on another network than its port's does not make the port ACTIVE, until it is moved
    by making it anew."""
    port = site.port()
    nic = site.plug(port, physnet="blue")
    assert site.rounds("sub1")
    assert site.status(port) == "DOWN"
    nic.delete()
    site.plug(port)
    assert site.becomes(port, "ACTIVE")


def test_two_subsets(site: Site) -> None:
    """Subsets whose names begin alike keep to themselves: a NIC of the one is not the other's."""
    port = site.port("sub10")
    site.plug(port, "sub1")
    other = site.port("sub10")
    site.plug(other, "sub10")
    assert site.becomes(other, "ACTIVE")
    assert site.status(port) == "DOWN"


def test_switched_off(site: Site) -> None:
    """A port that is disabled goes DOWN, and ACTIVE when it is enabled: the agent hears of it."""
    port = site.port()
    site.plug(port)
    assert site.becomes(port, "ACTIVE")
    site.neutron.change("port", port["id"], admin_state_up=False)
    assert site.becomes(port, "DOWN")
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
    """A port stays ACTIVE over a restart of the agent, which ends at once when it is told to."""
    port = site.port()
    nic = site.plug(port)
    assert site.becomes(port, "ACTIVE")
    agent = site.agents["sub1"]
    agent.stop()
    started = site.agent("sub1")["started_at"]
    assert site.status(port) == "ACTIVE"
    agent.start()
    assert site.restarted("sub1", started)
    assert site.becomes(port, "ACTIVE")
    nic.delete()
    assert site.becomes(port, "DOWN")
