"""NICs, HBAs and storage groups on the served HMC, as each generation has them."""

import pytest

from served_hmc import GENERATIONS, refusal


@pytest.mark.parametrize("machine", ["z13", "z14", "z16"])
def test_a_virtual_switch_knows_its_nics(machine, someone):
    """Get Connected VNICs is a GET, and forgets what was deleted, alone or with its partition."""
    known = someone(machine)
    switch = known.cpc.virtual_switches.find(name="OSA-2 port 1")
    first, second = known.partition("a"), known.partition("b")
    backing = known.backing("osa-2", 1)
    nics = [one.nics.create({"name": "n", **backing}) for one in (first, second)]
    assert {one.uri for one in switch.get_connected_nics()} == {one.uri for one in nics}
    nics[0].delete()
    assert [one.uri for one in switch.get_connected_nics()] == [nics[1].uri]
    second.delete()
    assert switch.get_connected_nics() == []


def test_the_newest_has_no_virtual_switches(someone):
    """NICs sit on adapter ports, of OSA adapters as well."""
    known = someone("z17")
    assert known.cpc.virtual_switches.list() == []
    nic = known.partition().nics.create({"name": "n", **known.backing()})
    nic.pull_full_properties()
    assert (nic.get_property("type"), nic.get_property("virtual-switch-uri")) == ("osd", None)


def test_a_network_express_nic_needs_its_type(someone):
    """HTTP 400, reason 15, without, and 7 with one that such an adapter does not serve."""
    known = someone("z17")
    partition = known.partition()
    properties = {"name": "n", **known.backing("express-1")}
    assert refusal(partition.nics.create, properties) == (400, 15)
    assert refusal(partition.nics.create, {**properties, "type": "osd"}) == (400, 7)
    partition.nics.create({**properties, "type": "neth"})


def test_osa_ports_carry_nics_only_on_the_newest(someone):
    """Up to z16 an OSA or HiperSockets adapter has virtual switches."""
    known = someone("z16")
    uri = f"/api/adapters/{known.served.machine.id('osa-1')}/network-ports/0"
    properties = {"name": "n", "network-adapter-port-uri": uri}
    assert refusal(known.partition().nics.create, properties) == (400, 7)


@pytest.mark.parametrize("machine", GENERATIONS)
def test_device_numbers_are_three_apart(machine, someone):
    """One NIC takes three; the fourth's has a letter, in upper case."""
    known = someone(machine)
    partition = known.partition()
    numbers = []
    for name in "abcd":
        nic = partition.nics.create({"name": name, **known.backing()})
        nic.pull_full_properties()
        numbers.append(nic.get_property("device-number"))
    assert numbers == ["0001", "0004", "0007", "000A"]


def test_nics_are_checked(someone):
    """Name, device number, MAC address, VLAN, backing."""
    known = someone("z14")
    partition = known.partition()
    partition.nics.create({"name": "n", "device-number": "0abc", **known.backing()})
    backing = known.backing()
    missing = {"virtual-switch-uri": "/api/virtual-switches/none"}
    for properties, expected in (
        ({"name": "n", **backing}, (400, 8)),
        ({"name": "n" * 65, **backing}, (400, 7)),
        ({"name": "m", "device-number": "0ABC", **backing}, (400, 8)),
        ({"name": "m", "device-number": "xyz", **backing}, (400, 7)),
        ({"name": "m", "mac-address": "00:11:22:33:44:55", **backing}, (400, 7)),
        ({"name": "m", "vlan-id": 4095, **backing}, (400, 7)),
        ({"name": "m", "element-id": "1", **backing}, (400, 6)),
        ({"name": "m", "type": "osd", **backing}, (400, 6)),
        ({"name": "m", **missing}, (404, 2)),
        ({"name": "m"}, (400, 5)),
    ):
        assert refusal(partition.nics.create, properties) == expected, properties


@pytest.mark.parametrize("machine", GENERATIONS)
def test_macs_and_vlans_where_they_can_be_given(machine, someone):
    """Since SE 2.14; before, the HMC refuses them."""
    known = someone(machine)
    partition = known.partition()
    given = {"mac-address": "fa:16:3e:00:00:01", "vlan-id": 7, "vlan-type": "enforced"}
    properties = {"name": "n", **given, **known.backing()}
    if machine == "z13":
        assert refusal(partition.nics.create, properties) == (400, 6)
        return
    nic = partition.nics.create(properties)
    nic.pull_full_properties()
    assert {name: nic.get_property(name) for name in given} == given
    nic.update_properties({"mac-address": "fa:16:3e:00:00:02"})
    nic.pull_full_properties()
    assert nic.get_property("mac-address") == "fa:16:3e:00:00:02"


def test_hbas_have_wwpns_that_nothing_else_has(someone):
    """zhmcclient's mock begins again with each partition."""
    known = someone("z13")
    wwpns = []
    for name in "ab":
        hba = known.partition(name).hbas.create(
            {"name": "h", "adapter-port-uri": known.storage_port()}
        )
        hba.pull_full_properties()
        wwpns.append(hba.get_property("wwpn"))
    assert len(set(wwpns)) == 2
    assert all(len(wwpn) == 16 for wwpn in wwpns)


def test_hbas_are_checked(someone):
    """Name, adapter, port, and the adapter's type."""
    known = someone("z13")
    partition = known.partition()
    port = known.storage_port()
    hba = partition.hbas.create({"name": "h", "adapter-port-uri": port})
    for properties, expected in (
        ({"name": "h", "adapter-port-uri": port}, (400, 8)),
        ({"name": "i", "adapter-port-uri": known.storage_port("fcp-3")}, (400, 7)),
        ({"name": "i", "adapter-port-uri": "/api/adapters/none/storage-ports/0"}, (404, 2)),
        ({"name": "i", "adapter-port-uri": port[:-1] + "7"}, (404, 6)),
        ({"name": "i", "adapter-port-uri": port, "wwpn": "1"}, (400, 6)),
    ):
        assert refusal(partition.hbas.create, properties) == expected, properties
    assert refusal(hba.update_properties, {"wwpn": "1"}) == (400, 6)
    hba.update_properties({"name": "renamed"})


@pytest.fixture
def groups(someone):
    """A z16, and its storage groups."""
    known = someone("z16")
    known.groups = known.client.consoles.console.storage_groups
    return known


def new_group(known, name: str = "g", **more):
    volumes = [{"operation": "create", "size": 10.0, "usage": "boot"}]
    properties = {"name": name, "cpc-uri": known.cpc.uri, "type": "fcp", "shared": False}
    return known.groups.create({**properties, "storage-volumes": volumes, **more})


def test_attaching_gives_wwpns_and_detaching_takes_them(groups):
    """One virtual storage resource for each path, each on another port."""
    group, partition = new_group(groups), groups.partition()
    assert group.virtual_storage_resources.list() == []
    partition.attach_storage_group(group)
    resources = group.virtual_storage_resources.list(full_properties=True)
    assert len({one.get_property("world-wide-port-name") for one in resources}) == 2
    assert len({one.get_property("adapter-port-uri") for one in resources}) == 2
    assert len({one.get_property("device-number") for one in resources}) == 2
    assert {one.get_property("partition-uri") for one in resources} == {partition.uri}
    assert [one.uri for one in group.list_attached_partitions()] == [partition.uri]
    assert refusal(group.delete) == (409, 1)
    partition.detach_storage_group(group)
    assert group.virtual_storage_resources.list() == []
    group.delete()


def test_attaching_is_refused_where_it_must_be(groups):
    """Twice, to a second partition where one is the most, or no group at all."""
    group, first, second = new_group(groups), groups.partition("a"), groups.partition("b")
    first.attach_storage_group(group)
    assert refusal(first.attach_storage_group, group) == (409, 1)
    assert refusal(second.attach_storage_group, group) == (409, 1)
    assert refusal(second.detach_storage_group, group) == (409, 1)
    body = {"storage-group-uri": "/api/storage-groups/none"}
    uri = f"{second.uri}/operations/attach-storage-group"
    assert refusal(groups.session.post, uri, body=body) == (404, 2)


def test_a_partition_that_goes_lets_go_of_its_groups(groups):
    """They stay, free."""
    group, partition = new_group(groups), groups.partition()
    partition.attach_storage_group(group)
    partition.delete()
    assert group.list_attached_partitions() == []
    assert group.virtual_storage_resources.list() == []


def test_a_partition_does_not_start_from_a_volume_that_is_not_there(groups):
    """Pending, or in a group that is not attached; told where it is, it starts."""
    group, partition = new_group(groups), groups.partition()
    (volume,) = group.storage_volumes.list()
    partition.update_properties(
        {"boot-device": "storage-volume", "boot-storage-volume": volume.uri}
    )
    assert refusal(partition.start) == (409, 1)
    partition.attach_storage_group(group)
    assert refusal(partition.start) == (409, 1)
    port = groups.cpc.adapters.find(name="FCP-1").ports.list()[0]
    volume.indicate_fulfillment_fcp("5005076300C213E9", "4010400000000000", port)
    group.pull_full_properties()
    assert group.get_property("fulfillment-state") == "complete"
    partition.start()


def test_volumes_come_and_go(groups):
    """A group is pending again with a new volume, and complete without it."""
    group, partition = new_group(groups), groups.partition()
    partition.attach_storage_group(group)
    (volume,) = group.storage_volumes.list()
    port = groups.cpc.adapters.find(name="FCP-1").ports.list()[0]
    volume.indicate_fulfillment_fcp("5005076300C213E9", "1", port)
    more = group.storage_volumes.create({"name": "data", "size": 5.0})
    assert fulfillment(group) == "pending"
    more.delete()
    assert fulfillment(group) == "complete"
    assert [one.uri for one in group.storage_volumes.list()] == [volume.uri]


def fulfillment(group) -> str:
    group.pull_full_properties()
    return str(group.get_property("fulfillment-state"))


def test_groups_are_checked(groups):
    """Name, type, paths and volumes."""
    new_group(groups)
    for change, expected in (
        ({}, (400, 8)),
        ({"name": "x", "type": "fc"}, (400, 7)),
        ({"name": "x", "connectivity": 3}, (400, 7)),
        ({"name": "x", "storage-volumes": [{"operation": "create"}]}, (400, 5)),
        ({"name": "x", "candidate-adapter-port-uris": ["/api/none"] * 2}, (404, 6)),
    ):
        assert refusal(new_group, groups, **{"name": "g", **change}) == expected, change
