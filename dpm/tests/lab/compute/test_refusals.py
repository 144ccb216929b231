"""What no partition can be is refused: the owner is told why, and nothing is left on the HMC."""

import pytest
from nova.tests.functional.api.client import OpenStackApiException

from firstlight_dpm.mock.faults import Fault
from nova_in_one_process import NOTHING, Cloud, one_process

# What Nova warns of as it runs, in threads of its own, is not ours.
pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(scope="module")
def z13():
    """A machine whose NICs cannot be told their MAC address."""
    with one_process("z13") as cloud:
        yield cloud


def refused(cloud: Cloud, server: dict[str, object]) -> str:
    """Why Nova gave up the server, which is deleted."""
    assert server["status"] == "ERROR"
    assert cloud.left() == NOTHING
    cloud._delete_server(server)
    return str(server["fault"]["message"])


def changes(cloud: Cloud) -> int:
    """How many requests have changed something on the HMC."""
    made = cloud.hmc.console.requests
    return sum(method != "GET" and "/sessions" not in uri for method, uri in made)


def test_image(z13: Cloud):
    """A server that boots from an image is refused before anything is made, and can be deleted."""
    before = changes(z13)
    # One that takes no disk of the host's; any other finds no host, because the host offers none.
    flavor = z13._create_flavor(memory_mb=512, disk=0, ephemeral=0, swap=0)
    request = {
        "server": z13._build_server(image_uuid=z13.image(), networks="none", flavor_id=flavor)
    }
    server = z13.ended(z13.api.post_server(request))
    assert "boots from a volume, not from an image" in refused(z13, server)
    assert changes(z13) == before


def test_config_drive(z13: Cloud):
    """A config drive that somebody insists on is refused before anything is made."""
    before = changes(z13)
    server = z13.ended_server([], z13.volume(), config_drive=True)
    assert "no config drives" in refused(z13, server)
    z13.flags(force_config_drive=True)
    server = z13.ended_server([], z13.volume())
    z13.flags(force_config_drive=False)
    assert "no config drives" in refused(z13, server)
    assert changes(z13) == before


def test_another_volume_type(z13: Cloud):
    """A boot volume that is not reached by Fibre Channel is refused."""
    volume = z13.volume()
    z13.cinder.VOLUME_CONNECTION_INFO[volume]["driver_volume_type"] = "iscsi"
    assert "reached by iscsi" in refused(z13, z13.ended_server([], volume))


def test_data_volume_of_another_type(z13: Cloud):
    """Nor is such a volume attached."""
    server, data = z13.make_server([], z13.volume()), z13.volume()
    z13.cinder.VOLUME_CONNECTION_INFO[data]["driver_volume_type"] = "iscsi"
    z13.attach_volume_in_vain(server, data)
    assert "Could not find a handler for iscsi volume" in z13.log()
    z13._delete_server(server)


def test_encrypted_volume(z13: Cloud):
    """Nobody could encrypt what the guest writes: a server is refused, with its reason, and so is
    a volume for one that runs."""
    volume = z13.volume(encrypted=True)
    assert "encryption is not supported" in refused(z13, z13.ended_server([], volume))
    server = z13.make_server([], z13.volume())
    z13.attach_volume_in_vain(server, z13.volume(encrypted=True))
    assert "Volume encryption is not supported" in z13.log()
    z13._delete_server(server)


def test_what_the_machine_does_not_take(z13: Cloud):
    """What no other host would take is not tried there, and the owner is told the HMC's reason."""
    fault = Fault(
        method="POST", uri="/api/cpcs/.*/partitions", times=1, status=400, reason=7, message="odd"
    )
    z13.hmc.console.faults.add(fault)
    message = refused(z13, z13.ended_server([], z13.volume()))
    assert "making partition" in message
    assert "odd" in message


def test_nothing_to_boot(z13: Cloud):
    """Nova itself refuses a server without a volume to boot from."""
    request = z13.request([], z13.volume())
    request["server"]["block_device_mapping_v2"][0]["boot_index"] = -1
    with pytest.raises(OpenStackApiException, match="Boot sequence"):
        z13.api.post_server(request)


def test_vlan(z13: Cloud):
    """A z13's NICs know no VLANs."""
    server = z13.ended_server([z13.port(vlan=1234)], z13.volume())
    assert "is on VLAN 1234" in refused(z13, server)


def test_thirteen_ports(z13: Cloud):
    """A z13 has room for twelve NICs, all at once or one by one."""
    ports = [z13.port() for _ in range(13)]
    assert "13 ports are too many" in refused(z13, z13.ended_server(ports, z13.volume()))
    server = z13.make_server(ports[:12], z13.volume())
    assert len(z13.told()) == 12
    with pytest.raises(OpenStackApiException, match="Failed to attach network adapter device"):
        z13._attach_interface(server, ports[12])
    assert len(z13.partition().nics.list()) == 12
    z13._delete_server(server)


def test_another_driver_bound_it(z13: Cloud):
    """A port that another mechanism driver bound is refused by its name."""
    port = z13.port()
    z13.neutron._ports[port]["binding:vif_type"] = "ovs"
    message = refused(z13, z13.ended_server([port], z13.volume()))
    assert port in message
    assert "bound as ovs, which is not DPM's" in message
