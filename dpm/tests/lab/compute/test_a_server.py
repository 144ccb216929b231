"""A server's life in real Nova, on each generation of machine."""

import os

import pytest

from nova_in_one_process import HOST, NOTHING, TARGETS, Cloud, one_process

# What Nova warns of as it runs, in threads of its own, is not ours.
pytestmark = pytest.mark.filterwarnings("ignore")


#: To the driver a z16 is a z14, which the tests of its parts show.
MACHINES = ["z13", "z14", "z17", *(["z16"] if os.environ.get("FIRSTLIGHT_SOAK") else [])]


@pytest.fixture(scope="module", params=MACHINES)
def cloud(request):
    """One compute host on a machine of each generation."""
    with one_process(request.param) as cloud:
        yield cloud


def test_life(cloud: Cloud):
    """Made, stopped, started, rebooted, with volumes and ports that come and go, and deleted."""
    ports, volumes = [cloud.port(), cloud.port()], [cloud.volume(), cloud.volume(target_lun=7)]
    request = cloud.request(ports, volumes[1])
    request["server"]["block_device_mapping_v2"].insert(0, attached(volumes[0], boot_index=1))
    server = cloud._wait_for_state_change(cloud.api.post_server(request), "ACTIVE")
    partition = cloud.partition()
    assert partition.name == f"OpenStack-{HOST}-{server['id']}"
    assert partition.properties["description"].startswith(f"OpenStack CPCSubset={HOST} node=")
    assert partition.properties["status"] == "active"
    check_nics(cloud, ports)
    check_volumes(cloud, server, volumes)

    cloud._stop_server(server)
    assert partition.properties["status"] == "stopped"
    cloud._start_server(server)
    assert partition.properties["status"] == "active"
    for hard in (False, True):
        cloud._reboot_server(server, hard=hard)
        assert partition.properties["status"] == "active"

    added = cloud.port()
    cloud._attach_interface(server, added)
    check_nics(cloud, [*ports, added])
    cloud._detach_interface(server, ports[1])
    check_nics(cloud, [ports[0], added])

    later = cloud.volume()
    cloud._attach_volume(server, later)
    check_volumes(cloud, server, [*volumes, later])
    cloud.api.delete_server_volume(server["id"], later)
    cloud._wait_for_volume_detach(server["id"], later)

    assert partition.properties["status"] == "active"
    cloud._delete_server(server)
    assert cloud.left() == NOTHING


def check_volumes(cloud: Cloud, server: dict[str, str], volumes: list[str]) -> None:
    """It boots from the volume with boot index 0; Cinder maps all of them to its own WWPNs."""
    wwpns = cloud.wwpns()
    assert len(wwpns) == len(cloud.hmc.machine.storage_ports)
    assert cloud.boot_path() == (wwpns[0], TARGETS[0], "0007000000000000")
    for connector in map(cloud.connector, volumes):
        assert connector["host"] == server["id"]
        assert connector["wwpns"] == wwpns
        assert connector["ip"] == "192.0.2.10"


def attached(volume: str, boot_index: int) -> dict[str, object]:
    """A volume in a request for a server."""
    return {
        "boot_index": boot_index,
        "uuid": volume,
        "source_type": "volume",
        "destination_type": "volume",
    }


def check_nics(cloud: Cloud, ports: list[str]) -> None:
    """Each port, and no other, has a NIC on what it was bound to, whose MAC the guest learns."""
    nics = [nic.properties for nic in cloud.partition().nics.list()]
    assert [nic["name"] for nic in nics] == [f"OpenStack_Port_{port}" for port in ports]
    kind, uri = cloud.backing().nic_property
    for port, nic in zip(ports, nics, strict=True):
        mac = cloud.neutron._ports[port]["mac_address"]
        assert nic[kind] == uri
        assert nic["description"] == f"OpenStack mac={mac}, CPCSubset={HOST}"
        assert cloud.told_mac(nic) == mac
    assert len(cloud.told()) == (0 if cloud.hmc.machine.level >= (2, 14) else len(ports))
