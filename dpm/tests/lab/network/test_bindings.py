"""What becomes of ports that are changed, or that no partition's NIC can be."""

import pytest

from cloud.walk import PATIENCE
from firstlight_dpm.backing import Backing
from lab.real_neutron import NeutronFailed
from network_site import Site, make_agent
from support.servers.databases import eventually


def test_host_changes(site: Site) -> None:
    """A port that goes to another host is bound there, and is up by its NIC there alone."""
    port = site.port("sub1")
    left = site.plug(port, "sub1")
    assert site.becomes(port, "ACTIVE")
    moved = site.neutron.change("port", port["id"], **{"binding:host_id": "old"})
    backing = Backing.of_vif(moved["binding:vif_type"], moved["binding:vif_details"])
    assert backing == site.backing("old", "red")
    site.passes("sub1")
    assert site.status(port) == "DOWN"
    site.plug(port, "old")
    assert site.becomes(port, "ACTIVE")
    left.delete()
    site.passes("sub1")
    assert site.status(port) == "ACTIVE"


def test_host_without_an_agent(site: Site) -> None:
    """A port on a host where no agent is stays unbound, and is bound when it comes back."""
    port = site.port()
    site.plug(port)
    assert site.becomes(port, "ACTIVE")
    lost = site.neutron.change("port", port["id"], **{"binding:host_id": "nowhere"})
    assert (lost["binding:vif_type"], lost["status"]) == ("binding_failed", "DOWN")
    back = site.neutron.change("port", port["id"], **{"binding:host_id": "sub1"})
    assert back["binding:vif_type"] == "dpm_adapter"
    assert site.becomes(port, "ACTIVE")


def test_changes_while_bound(site: Site) -> None:
    """Another owner leaves the binding; another MAC address, which the NIC could not take over, is
    refused by Neutron."""
    port = site.port()
    site.plug(port)
    assert site.becomes(port, "ACTIVE")
    owned = site.neutron.change("port", port["id"], device_owner="compute:elsewhere")
    backing = Backing.of_vif(owned["binding:vif_type"], owned["binding:vif_details"])
    assert backing == site.backing("sub1", "red")
    with pytest.raises(NeutronFailed, match=r"409.*PortBound"):
        site.neutron.change("port", port["id"], mac_address="fa:16:3e:11:22:33")
    site.passes("sub1")
    assert site.status(port) == "ACTIVE"


def test_deleted_port(site: Site) -> None:
    """A NIC whose port has been deleted is left alone, and its going too is no error."""
    port = site.port()
    nic = site.plug(port)
    assert site.becomes(port, "ACTIVE")
    log = site.agents["sub1"].log
    before = len(log.read_text())
    site.neutron.delete("port", port["id"])
    site.passes("sub1")
    nic.delete()
    assert site.hears("sub1", f"Attachment {port['id']} removed")
    site.passes("sub1")
    assert "ERROR" not in log.read_text()[before:]


def test_trunk(site: Site) -> None:
    """A trunk's parent is not bound, since nobody would plug its subports; a port that is bound
    does not become one."""
    parent, child = (
        site.neutron.make("port", network_id=site.networks[name]) for name in ("red", "blue")
    )
    subport = {"port_id": child["id"], "segmentation_type": "vlan", "segmentation_id": 7}
    site.neutron.make("trunk", port_id=parent["id"], sub_ports=[subport])
    placed = {"binding:host_id": "sub1", "device_owner": "compute:nova"}
    bound = site.neutron.change("port", parent["id"], **placed)
    assert bound["binding:vif_type"] == "binding_failed"
    assert site.neutron_says(f"port {parent['id']} is the parent of a trunk")
    with pytest.raises(NeutronFailed, match="ParentPortInUse"):
        site.neutron.make("trunk", port_id=site.port()["id"])


def test_one_host_twice(site: Site) -> None:
    """Two agents of one host, with different mappings, are told of in both logs."""
    mapping = [str(site.backing("sub1", "red"))]
    twin = make_agent(site.ground, "sub1", site.machines["old"], "twin")
    twin.start()
    try:
        assert site.hears("sub1", "another agent reports as host sub1, with the mappings")
        assert eventually(
            lambda: "another agent reports as host sub1" in twin.log.read_text(), PATIENCE
        )
    finally:
        twin.kill()
    assert "another agent" not in site.agents["old"].log.read_text()
    assert eventually(
        lambda: site.agent("sub1")["configurations"]["adapter_mappings"]["red"] == mapping, PATIENCE
    )
