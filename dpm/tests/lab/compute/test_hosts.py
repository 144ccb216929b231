"""Hosts of real Nova: two subsets of one machine, a service that starts again, power states."""

import pytest
from nova.exception import InvalidConfiguration
from nova.tests.functional.api.client import OpenStackApiException

from firstlight_dpm.mock.faults import Fault
from nova_in_one_process import HOST, NOTHING, Cloud, one_process

# What Nova warns of as it runs, in threads of its own, is not ours.
pytestmark = pytest.mark.filterwarnings("ignore")

#: A name that begins as the other's does, with a character that a pattern would understand.
OTHER = "subset1.b"


@pytest.fixture(scope="module")
def cloud():
    """Two hosts on one machine, each with a server's worth of names of the other."""
    with one_process("z14") as cloud:
        cloud.start_host(OTHER)
        yield cloud


def driver(cloud: Cloud, host: str):
    """The driver of a host's nova-compute."""
    return cloud.computes[host].manager.driver


def test_two_subsets(cloud: Cloud):
    """Two hosts on one machine keep to themselves, and leave other partitions alone."""
    foreign = cloud.machine.partitions.add({"name": "PROD1", "initial-memory": 4096})
    mine = cloud.make_server([], cloud.volume(), host=HOST)
    other = cloud.make_server([], cloud.volume(), host=OTHER)
    assert driver(cloud, HOST).list_instance_uuids() == [mine["id"]]
    assert driver(cloud, OTHER).list_instance_uuids() == [other["id"]]
    # A partition that goes while the others are read is not counted.
    gone = Fault(method="GET", uri=r"/api/partitions/[^/]*", times=1, status=404, reason=1)
    cloud.hmc.console.faults.add(gone)
    for memory in (0, 512):
        used = driver(cloud, HOST).get_available_resource(HOST)
        assert used["memory_mb_used"] == memory
    cloud._delete_server(mine)
    assert [one.name for one in cloud.partitions()] == ["PROD1", f"OpenStack-{OTHER}-{other['id']}"]
    cloud._delete_server(other)
    cloud.machine.partitions.remove(foreign.oid)
    assert cloud.left() == NOTHING


def test_another_host_is_tried(cloud: Cloud):
    """Where a partition cannot be made, Nova makes the server on the next host; nothing stays."""
    refused = Fault(method="POST", uri=r"/api/cpcs/[^/]*/partitions", times=1, status=500)
    cloud.hmc.console.faults.add(refused)
    server = cloud.make_server([], cloud.volume())
    assert refused.times == 0
    assert [one.name for one in cloud.partitions()] == [
        f"OpenStack-{cloud.instance(server).host}-{server['id']}"
    ]
    assert "no partition could be prepared" in cloud.log()
    cloud._delete_server(server)
    assert cloud.left() == NOTHING


def test_what_nova_shows(cloud: Cloud):
    """The hypervisor is a PRSM with the machine's level, and offers memory and processors."""
    found = cloud.admin_api.api_get("/os-hypervisors/detail").body["hypervisors"]
    shown = {one["hypervisor_hostname"]: one for one in found}
    assert set(shown) == {HOST, OTHER}
    assert shown[HOST]["hypervisor_type"] == "PRSM"
    assert shown[HOST]["hypervisor_version"] == 2014001
    # Nova asks the host for what it has not said, and logs it as an error if the host cannot tell.
    assert shown[HOST]["uptime"] is None
    assert "get_host_uptime" not in cloud.log()
    provider = cloud._get_provider_uuid_by_host(HOST)
    inventory = cloud._get_provider_inventory(provider)
    assert set(inventory) == {"VCPU", "MEMORY_MB"}
    assert inventory["MEMORY_MB"]["total"] == 65536
    assert inventory["MEMORY_MB"]["reserved"] == 0
    assert inventory["MEMORY_MB"]["allocation_ratio"] == 1.0
    assert inventory["VCPU"]["total"] == inventory["VCPU"]["max_unit"] == 8
    assert "COMPUTE_NET_ATTACH_INTERFACE" in cloud._get_provider_traits(provider)


def test_starts_again(cloud: Cloud):
    """nova-compute starts again beside its partitions, and knows them."""
    server = cloud.make_server([], cloud.volume(), host=HOST)
    cloud.start_host(HOST)
    assert driver(cloud, HOST).instance_exists(cloud.instance(server))
    cloud._reboot_server(server, hard=True)
    cloud._delete_server(server)
    assert cloud.left() == NOTHING


def test_another_cloud(cloud: Cloud):
    """A host whose partitions another cloud's node made does not start, and says what to set."""
    name = f"OpenStack-{HOST}-11111111-2222-4333-8444-555555555555"
    node = "99999999-2222-4333-8444-555555555555"
    text = f"OpenStack CPCSubset={HOST} node={node}"
    theirs = cloud.machine.partitions.add({"name": name, "description": text, "initial-memory": 1})
    with pytest.raises(InvalidConfiguration, match=f"made by compute node {node}"):
        driver(cloud, HOST).init_host(HOST)
    theirs.properties["description"] = f"OpenStack CPCSubset={HOST}"
    driver(cloud, HOST).init_host(HOST)
    cloud.machine.partitions.remove(theirs.oid)


def test_another_cloud_comes(cloud: Cloud):
    """One that comes while this host works is said to be there, and its memory is not ours."""
    name = f"OpenStack-{HOST}-11111111-2222-4333-8444-555555555555"
    node = "99999999-2222-4333-8444-555555555555"
    text = f"OpenStack CPCSubset={HOST} node={node}"
    theirs = cloud.machine.partitions.add({"name": name, "description": text, "initial-memory": 1})
    assert driver(cloud, HOST).get_available_resource(HOST)["memory_mb_used"] == 0
    assert f"{name} was made by compute node {node}" in cloud.log()
    cloud.machine.partitions.remove(theirs.oid)


def test_live_migration(cloud: Cloud):
    """A server that is asked to move stays where it is, and runs."""
    server = cloud.make_server([], cloud.volume(), host=HOST)
    move = {"os-migrateLive": {"host": OTHER, "block_migration": "auto"}}
    # All of Nova is one process here; otherwise its API has answered before.
    with pytest.raises(OpenStackApiException):
        cloud.admin_api.post_server_action(server["id"], move)
    assert "a partition that runs cannot move" in cloud.log()
    assert cloud._show_server(server)["status"] == "ACTIVE"
    assert cloud.instance(server).host == HOST
    assert cloud.partition().properties["status"] == "active"
    cloud._delete_server(server)


def test_machine_was_switched_off(cloud: Cloud):
    """With resume_guests_state_on_host_boot, what ran runs again."""
    server = cloud.make_server([], cloud.volume(), host=HOST)
    cloud.partition().properties["status"] = "stopped"
    cloud.flags(resume_guests_state_on_host_boot=True)
    cloud.start_host(HOST)
    cloud.flags(resume_guests_state_on_host_boot=False)
    assert cloud.partition().properties["status"] == "active"
    assert cloud._show_server(server)["status"] == "ACTIVE"
    cloud._delete_server(server)


def test_power_states(cloud: Cloud):
    """A guest that crashed is stopped; one that is degraded runs; one in between is left alone."""
    server = cloud.make_server([], cloud.volume(), host=HOST)
    partition = cloud.partition()
    for status in ("degraded", "reservation-error", "starting", "communications-not-active"):
        partition.properties["status"] = status
        cloud.compare(server)
        assert cloud._show_server(server)["status"] == "ACTIVE", status
    partition.properties["status"] = "paused"
    cloud.compare(server)
    cloud._wait_for_state_change(server, "SHUTOFF")
    assert partition.properties["status"] == "stopped"
    cloud._delete_server(server)


def test_by_hand(cloud: Cloud):
    """Started on the HMC while its server is off: stopped again. Deleted there: it shows."""
    server = cloud.make_server([], cloud.volume(), host=HOST)
    cloud._stop_server(server)
    partition = cloud.partition()
    partition.properties["status"] = "active"
    cloud.compare(server)
    assert partition.properties["status"] == "stopped"
    cloud.machine.partitions.remove(partition.oid)
    cloud.compare(server)
    assert cloud._show_server(server)["OS-EXT-STS:power_state"] == 0
    cloud._delete_server(server)
    assert cloud.left() == NOTHING
