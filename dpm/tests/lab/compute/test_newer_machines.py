"""What a z17 does that a z13 refuses."""

import pytest
from nova.tests.functional.api.client import OpenStackApiException

from nova_in_one_process import Cloud, one_process

# What Nova warns of as it runs, in threads of its own, is not ours.
pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(scope="module")
def z17():
    """A machine that does all that there is."""
    with one_process("z17") as cloud:
        yield cloud


def test_vlan(z17: Cloud):
    """A NIC is kept to its port's VLAN."""
    server = z17.make_server([z17.port(vlan=1234)], z17.volume())
    (nic,) = z17.partition().nics.list()
    assert nic.properties["vlan-id"] == 1234
    assert nic.properties["vlan-type"] == "enforced"
    z17._delete_server(server)


def test_thirteen_ports(z17: Cloud):
    """There is no limit of twelve NICs, and nothing on the command line."""
    server = z17.make_server([z17.port() for _ in range(13)], z17.volume())
    assert len(z17.partition().nics.list()) == 13
    assert z17.told() == []
    z17._delete_server(server)


def test_express_adapter(z17: Cloud):
    """A NIC on a Network Express adapter says which kind it is."""
    port = z17.port()
    details = z17.neutron._ports[port]["binding:vif_details"]
    details["object_id"] = z17.hmc.machine.id("express-1")
    server = z17.make_server([port], z17.volume())
    (nic,) = z17.partition().nics.list()
    assert nic.properties["type"] == "neth"
    z17._delete_server(server)


def test_shelve(z17: Cloud):
    """A shelved server leaves nothing on the HMC, and comes back with its ports."""
    port, volume = z17.port(), z17.volume()
    server = z17.make_server([port], volume)
    z17._shelve_server(server)
    assert z17.left()["partitions"] == z17.left()["storage groups"] == []
    z17._unshelve_server(server)
    assert z17.partition().properties["status"] == "active"
    assert [nic.name for nic in z17.partition().nics.list()] == [f"OpenStack_Port_{port}"]
    z17._delete_server(server)


def test_console(z17: Cloud):
    """What the guest says is the console's log, as long as it runs."""
    server = z17.make_server([], z17.volume())
    log = z17.api.post_server_action(server["id"], {"os-getConsoleOutput": {}})
    assert "Linux version" in log["output"]
    z17._stop_server(server)
    with pytest.raises(OpenStackApiException) as refused:
        z17.api.post_server_action(server["id"], {"os-getConsoleOutput": {}})
    assert refused.value.response.status_code == 404
    z17._delete_server(server)


def test_size(z17: Cloud):
    """A partition has its flavor's processors and memory, and Placement counts them."""
    flavor = z17._create_flavor(vcpu=3, memory_mb=4096, disk=0, ephemeral=0, swap=0)
    server = z17.make_server([], z17.volume(), flavorRef=flavor)
    properties = z17.partition().properties
    assert properties["ifl-processors"] == 3
    assert properties["initial-memory"] == properties["maximum-memory"] == 4096
    provider = z17._get_provider_uuid_by_host("subset1")
    assert z17._get_provider_usages(provider) == {"VCPU": 3, "MEMORY_MB": 4096}
    z17._delete_server(server)
