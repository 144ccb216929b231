"""The whole life of a partition with the real zhmcclient, over HTTPS, on each generation."""

import pytest
import zhmcclient

from served_hmc import GENERATIONS, refusal


def boot_from_a_volume(known, partition) -> None:
    """As a driver would, on this generation."""
    if known.served.machine.storage_groups:
        group = known.client.consoles.console.storage_groups.create(
            {
                "name": f"group of {partition.name}",
                "cpc-uri": known.cpc.uri,
                "type": "fcp",
                "shared": False,
                "connectivity": 2,
                "storage-volumes": [{"operation": "create", "size": 10.0, "usage": "boot"}],
            }
        )
        partition.attach_storage_group(group)
        (volume,) = group.storage_volumes.list()
        port = known.cpc.adapters.find(name="FCP-1").ports.list()[0]
        volume.indicate_fulfillment_fcp("5005076300c213e9", "0x1", port)
        partition.update_properties(
            {"boot-device": "storage-volume", "boot-storage-volume": volume.uri}
        )
        return
    hba = partition.hbas.create({"name": "hba", "adapter-port-uri": known.storage_port()})
    partition.update_properties(
        {
            "boot-device": "storage-adapter",
            "boot-storage-device": hba.uri,
            "boot-world-wide-port-name": "5005076300C213E9",
            "boot-logical-unit-number": "4010400000000000",
        }
    )


@pytest.mark.parametrize("machine", GENERATIONS)
def test_a_partition_lives_and_leaves_nothing(machine, someone):
    """Made, given storage and a NIC, started, stopped, deleted: the HMC is as it was."""
    known = someone(machine)
    before = set(known.served.console.mock.hmc.all_resources)
    partition = known.partition("OpenStack-sub1-1")
    boot_from_a_volume(known, partition)
    nic = partition.nics.create({"name": "nic", "description": "", **known.backing()})
    partition.start()
    partition.pull_full_properties()
    assert partition.get_property("status") == "active"
    assert partition.get_property("nic-uris") == [nic.uri]
    partition.stop()
    groups = list(partition.list_attached_storage_groups()) if machine != "z13" else []
    partition.delete()
    for group in groups:
        group.delete()
    assert set(known.served.console.mock.hmc.all_resources) == before
    with pytest.raises(zhmcclient.CeasedExistence):
        partition.pull_full_properties()


@pytest.mark.parametrize("machine", GENERATIONS)
def test_starting_takes_time(machine, someone):
    """While the job runs the partition is ``starting``, and the client sees a running job."""
    known = someone(machine, job_seconds=3600)
    partition = known.partition()
    job = partition.start(wait_for_completion=False)
    partition.pull_full_properties()
    assert partition.get_property("status") == "starting"
    assert job.check_for_completion() == ("running", None)


@pytest.mark.parametrize("machine", GENERATIONS)
def test_wrong_statuses_are_refused(machine, someone):
    """Start when active, delete when active, stop when stopped: HTTP 409, reason 1."""
    known = someone(machine)
    partition = known.partition()
    assert refusal(partition.stop) == (409, 1)
    partition.start()
    assert refusal(partition.start) == (409, 1)
    assert refusal(partition.delete) == (409, 1)


def test_names_are_unique_and_bounded(someone):
    """What zhmcclient's mock lets pass, an HMC does not."""
    known = someone("z16")
    partition = known.partition("first")
    assert refusal(known.partition, "first") == (400, 8)
    assert refusal(known.partition, "n" * 65) == (400, 7)
    assert refusal(known.partition, "") == (400, 7)
    assert refusal(known.partition, "x", description="d" * 1025) == (400, 7)
    other = known.partition("n" * 64, description="d" * 1024)
    assert refusal(other.update_properties, {"name": "first"}) == (400, 8)
    partition.update_properties({"name": "first", "description": "its own name is not taken"})


def test_sizes_are_bounded_by_the_machine(someone):
    """More processors or memory than there are."""
    known = someone("z13")
    assert refusal(known.partition, **{"ifl-processors": 21}) == (400, 7)
    assert refusal(known.partition, **{"maximum-memory": 2**30}) == (400, 7)
    assert refusal(known.partition, **{"maximum-memory": 512}) == (400, 7)
    assert refusal(known.partition, **{"initial-memory": "1024"}) == (400, 7)


@pytest.mark.parametrize(
    "change",
    [
        {"boot-os-specific-parameters": "x" * 257},
        {"boot-device": "floppy"},
        {"boot-device": "storage-volume"},
        {"boot-world-wide-port-name": "0x5005076300c213e9"},
        {"boot-logical-unit-number": "no"},
    ],
)
def test_boot_properties_are_checked(change, someone):
    """The command line's 256 characters; what this generation boots from; WWPNs and LUNs."""
    assert refusal(someone("z13").partition().update_properties, change) == (400, 7)


def test_what_the_hmc_decides_cannot_be_written(someone):
    """Status, ids and lists of children."""
    known = someone("z14")
    partition = known.partition()
    for name in ("status", "object-id", "nic-uris"):
        assert refusal(partition.update_properties, {name: "x"}) == (400, 6)
        assert refusal(known.partition, "other", **{name: "x"}) == (400, 6)


def test_the_cpc_s_status_reaches_its_partitions(someone):
    """A machine that does not communicate: HTTP 409, reason 6 for what is on it."""
    known = someone("z13")
    partition = known.partition()
    properties = {"uri": known.cpc.uri, "properties": {"status": "not-communicating"}}
    known.session.post("/mock/properties", body=properties)
    assert refusal(partition.start) == (409, 6)


def test_the_console_s_messages(someone):
    """Of a running partition, bounded as asked, with the command line it was started with."""
    known = someone("z16")
    partition = known.partition()
    assert refusal(partition.list_os_messages) == (409, 1)
    partition.update_properties({"boot-os-specific-parameters": " 0001,0,0a0000000011;"})
    partition.start()
    texts = [one["message-text"] for one in partition.list_os_messages()["os-messages"]]
    assert "Kernel command line: 0001,0,0a0000000011;" in texts
    (second,) = partition.list_os_messages(begin=2, end=2)["os-messages"]
    assert second["sequence-number"] == 2
    assert refusal(partition.list_os_messages, begin="first") == (400, 1)


def test_a_z13_lists_no_messages(someone):
    """That came with SE 2.14."""
    partition = someone("z13").partition()
    partition.start()
    assert refusal(partition.list_os_messages) == (404, 1)


def test_the_inventory_has_partitions_with_their_nics(someone):
    """One request instead of one for each NIC."""
    known = someone("z17")
    partition = known.partition()
    nic = partition.nics.create({"name": "nic", "description": "d", **known.backing()})
    found = known.client.get_inventory(["partition"])
    assert {one["class"] for one in found} == {"partition", "nic"}
    assert [one["description"] for one in found if one.get("element-uri") == nic.uri] == ["d"]
