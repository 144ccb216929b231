"""What a z17 does, and a z13 does not."""

from contextlib import contextmanager

import pytest
from nova.tests.functional.api.client import OpenStackApiException

from nova_in_one_process import NOTHING, Cloud, one_process

# What Nova warns of as it runs, in threads of its own, is not ours.
pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(scope="module")
def z17():
    """A machine that does all that there is."""
    with one_process("z17") as cloud:
        yield cloud


def test_ports(z17: Cloud):
    """More than twelve; one on a VLAN, one on an adapter of the newest kind; no command line."""
    vlan, express, *others = [z17.port(vlan=1234), *(z17.port() for _ in range(12))]
    details = z17.neutron._ports[express]["binding:vif_details"]
    details["object_id"] = z17.hmc.machine.id("express-1")
    server = z17.make_server([vlan, express, *others], z17.volume())
    nics = {nic.name[-36:]: nic.properties for nic in z17.partition().nics.list()}
    assert len(nics) == 13
    assert (nics[vlan]["vlan-id"], nics[vlan]["vlan-type"]) == (1234, "enforced")
    assert nics[express]["type"] == "neth"
    assert {nics[port]["vlan-id"] for port in others} == {None}
    assert z17.told() == []
    z17._delete_server(server)


def test_size_console_and_shelve(z17: Cloud):
    """As large as its flavor says; its console is read; it is shelved and comes back."""
    flavor = z17._create_flavor(vcpu=3, memory_mb=4096, disk=0, ephemeral=0, swap=0)
    port = z17.port()
    server = z17.make_server([port], z17.volume(), flavorRef=flavor)
    properties = z17.partition().properties
    assert properties["ifl-processors"] == 3
    assert properties["initial-memory"] == properties["maximum-memory"] == 4096
    provider = z17._get_provider_uuid_by_host("subset1")
    assert z17._get_provider_usages(provider) == {"VCPU": 3, "MEMORY_MB": 4096}

    log = z17.api.post_server_action(server["id"], {"os-getConsoleOutput": {}})
    assert "Linux version" in log["output"]
    z17._stop_server(server)
    with pytest.raises(OpenStackApiException) as refused:
        z17.api.post_server_action(server["id"], {"os-getConsoleOutput": {}})
    assert refused.value.response.status_code == 404

    z17._shelve_server(server)
    assert z17.left() == NOTHING
    z17._unshelve_server(server)
    assert z17.partition().properties["status"] == "active"
    assert [nic.name for nic in z17.partition().nics.list()] == [f"OpenStack_Port_{port}"]
    z17._delete_server(server)
    assert z17.left() == NOTHING


def test_rebuild(z17: Cloud, monkeypatch: pytest.MonkeyPatch):
    """A rebuilt server is another partition, with the same ports, on the volume made anew."""

    @contextmanager
    def reimaged(*_: object, **__: object):
        """Cinder's stand-in never says that it has written the image."""
        yield

    virtapi = z17.computes["subset1"].manager.virtapi
    monkeypatch.setattr(virtapi, "wait_for_instance_event", reimaged)
    port, volume = z17.port(), z17.volume(z17.cinder.IMAGE_BACKED_VOL)
    server = z17.make_server([port], volume)
    first = z17.partition()
    z17._rebuild_server(server, z17.glance.image1["id"])
    assert z17.partition() is not first
    assert z17.partition().properties["status"] == "active"
    assert [nic.name for nic in z17.partition().nics.list()] == [f"OpenStack_Port_{port}"]
    assert z17.connector(volume)["wwpns"] == z17.wwpns()
    z17._delete_server(server)
    assert z17.left() == NOTHING
