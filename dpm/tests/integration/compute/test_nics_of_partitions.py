"""NICs on a served HMC: made, told to the guest, taken away; each may be repeated."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from nova import exception

from firstlight_dpm.backing import Backing
from firstlight_dpm.compute.partitions import Partitions
from firstlight_dpm.compute.ports.nics import PARAMETERS, Nics
from firstlight_dpm.compute.ports.vifs import Vif
from firstlight_dpm.errors import AdapterMissing
from firstlight_dpm.hmc import features
from firstlight_dpm.mock.faults import Fault

UUID = "88dae9fa-0dc6-49e3-8c29-3abc41e99ac9"
PORTS = [f"{number:08x}-0dc6-49e3-8c29-3abc41e99ac9" for number in range(3)]


@pytest.fixture
def nics(hmc):
    """NICs as the machine wants them."""
    return Nics(hmc, "sub1", features(hmc.find_cpc()))


@pytest.fixture
def partition(hmc):
    """A new partition."""
    return Partitions(hmc, "sub1", "node").make(UUID, 1, 1024)


def vif(served, number: int, vlan: int | None = None) -> Vif:
    """A port of the machine's first network."""
    machine = served.machine
    backing = (
        Backing.parse(machine.network_ports[0])
        if machine.adapter_ports
        else Backing(machine.id("osa-1/0/virtual-switch"))
    )
    return Vif(PORTS[number], f"fa:16:3e:00:00:{number:02x}", backing, vlan, active=False)


def there(partition) -> list[str]:
    """Names of the partition's NICs."""
    partition.pull_full_properties()
    return [nic.name for nic in partition.nics.list()]


def told(partition) -> str:
    """What is added to the command line."""
    partition.pull_full_properties()
    return str(partition.get_property(PARAMETERS))


def delete_by_hand(partition, port: str) -> None:
    """As at the HMC's own panels, which know nothing of the command line."""
    partition.pull_full_properties()
    partition.nics.find(name=f"OpenStack_Port_{port}").delete()


def test_plugged_twice(nics, partition, served):
    """One NIC for one port, told once."""
    for _ in range(2):
        nics.plug(partition, vif(served, 0))
    assert there(partition) == [f"OpenStack_Port_{PORTS[0]}"]
    assert told(partition).count(";") == (0 if served.machine.level >= (2, 14) else 1)


@pytest.mark.parametrize("served", ["z13"], indirect=True)
def test_the_second_port(nics, partition, served):
    """A guest that has to be told is told which of the adapter's ports the NIC is on."""
    second = Backing(served.machine.id("osa-2/1/virtual-switch"))
    nics.plug(partition, vif(served, 0)._replace(backing=second))
    assert told(partition) == " 0001,1,fa163e000000;"


def test_unplugged(nics, partition, served):
    """The NIC goes, what was told of it goes, the others stay; again is no error."""
    for number in range(3):
        nics.plug(partition, vif(served, number))
    for _ in range(2):
        nics.unplug(partition, PORTS[1])
    assert there(partition) == [f"OpenStack_Port_{PORTS[0]}", f"OpenStack_Port_{PORTS[2]}"]
    assert "fa163e000001" not in told(partition)
    assert told(partition).count(";") == (0 if served.machine.level >= (2, 14) else 2)


def test_vlan(nics, partition, served):
    """A machine that can keeps the NIC to its VLAN; a z13 refuses before anything is made."""
    wanted = vif(served, 0, vlan=77)
    if served.machine.level >= (2, 14):
        nics.check(partition, [wanted])
        nics.plug(partition, wanted)
        partition.pull_full_properties()
        (nic,) = partition.nics.list(full_properties=True)
        assert (nic.properties["vlan-id"], nic.properties["vlan-type"]) == (77, "enforced")
    else:
        with pytest.raises(exception.InvalidInput, match="VLAN 77"):
            nics.check(partition, [wanted])


def test_limit(nics, partition, served):
    """Twelve are a z13's limit, less what its command line says already."""
    partition.update_properties({PARAMETERS: "quiet"})
    nics.check(partition, [vif(served, 0)] * 11)
    if served.machine.level >= (2, 14):
        nics.check(partition, [vif(served, 0)] * 100)
    else:
        with pytest.raises(exception.InvalidInput, match="room for 11 more"):
            nics.check(partition, [vif(served, 0)] * 12)


@pytest.mark.parametrize("served", ["z13"], indirect=True)
def test_the_room_was_taken(nics, partition, served):
    """A NIC that was checked while there was room is not made once there is none."""
    partition.update_properties({PARAMETERS: "x" * 220})
    for number in range(2):
        nics.check(partition, [vif(served, number)])
    nics.plug(partition, vif(served, 0))
    with pytest.raises(exception.InvalidInput, match="room for 0 more"):
        nics.plug(partition, vif(served, 1))
    assert there(partition) == [f"OpenStack_Port_{PORTS[0]}"]
    nics.plug(partition, vif(served, 0))


@pytest.mark.parametrize("served", ["z13"], indirect=True)
def test_several_at_once(hmc, nics, partition, served):
    """Nova attaches and detaches several ports at a time: nothing of one is lost by another."""
    served.console.faults.add(Fault(method="POST", uri="/api/partitions/[^/]*", delay=0.3))

    def do(change: tuple[Callable[..., None], object]) -> None:
        change[0](Partitions(hmc, "sub1", "node").get(UUID), change[1])

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(do, [(nics.plug, vif(served, number)) for number in range(2)]))
        assert {one[7:] for one in told(partition).split()} == {"fa163e000000;", "fa163e000001;"}
        changes = [(nics.plug, vif(served, 2)), (nics.unplug, PORTS[0]), (nics.unplug, PORTS[1])]
        list(threads.map(do, changes))
    assert {one[7:] for one in told(partition).split()} == {"fa163e000002;"}


def test_deleted_by_hand(nics, partition, served):
    """What was told of a NIC that somebody deleted goes when its port does, and nothing else."""
    for number in range(2):
        nics.plug(partition, vif(served, number))
    partition.update_properties({PARAMETERS: told(partition) + " quiet x=0001,0,fa163e000000;"})
    delete_by_hand(partition, PORTS[0])
    nics.unplug(partition, PORTS[0])
    assert "fa163e000001" in told(partition) or served.machine.level >= (2, 14)
    assert told(partition).replace(" 0004,0,fa163e000001;", "") == " quiet x=0001,0,fa163e000000;"


@pytest.mark.parametrize("served", ["z13"], indirect=True)
def test_room_after_somebody_s_deletion(nics, partition, served):
    """A NIC that somebody deleted takes no room from another, and is told of no more."""
    partition.update_properties({PARAMETERS: "x" * 220})
    nics.plug(partition, vif(served, 0))
    delete_by_hand(partition, PORTS[0])
    nics.check(partition, [vif(served, 1)])
    nics.plug(partition, vif(served, 1))
    assert told(partition) == "x" * 220 + " 0001,0,fa163e000001;"


@pytest.mark.parametrize("served", ["z13"], indirect=True)
def test_made_by_hand(nics, partition, served):
    """A NIC that somebody makes and tells the guest of, at the same time, stays told."""
    nics.plug(partition, vif(served, 0))
    listed = partition.nics.list

    def meanwhile(**how):
        nics = listed(**how)
        partition.nics.list = listed
        somebody = partition.manager.resource_object(partition.uri)
        body = {"name": "mine", "virtual-switch-uri": vif(served, 0).backing.nic_property[1]}
        somebody.nics.create({**body, "device-number": "0100"})
        somebody.update_properties({PARAMETERS: told(somebody) + " 0100,0,0a0000000001;"})
        return nics

    partition.nics.list = meanwhile
    nics.plug(partition, vif(served, 1))
    assert told(partition).split() == [
        "0001,0,fa163e000000;",
        "0100,0,0a0000000001;",
        "0004,0,fa163e000001;",
    ]


def test_beyond_the_limit(hmc, partition, served):
    """Where guests learn of NICs otherwise, the command line has twelve and nothing is refused."""
    learned = Nics(hmc, "sub1", features(hmc.find_cpc()), learned=True)
    wanted = [
        vif(served, 0)._replace(
            port=f"{number:08x}-1dc6-49e3-8c29-3abc41e99ac9", mac=f"fa:16:3e:00:01:{number:02x}"
        )
        for number in range(14)
    ]
    learned.check(partition, wanted)
    for one in wanted * 2:
        learned.plug(partition, one)
    assert len(there(partition)) == 14
    assert told(partition).count(";") == (0 if served.machine.level >= (2, 14) else 12)
    learned.unplug(partition, wanted[13].port)
    learned.unplug(partition, wanted[0].port)
    assert told(partition).count(";") == (0 if served.machine.level >= (2, 14) else 11)


def test_what_others_say_stays(nics, partition, served):
    """Parameters that somebody else set are kept."""
    partition.update_properties({PARAMETERS: "quiet"})
    nics.plug(partition, vif(served, 0))
    nics.unplug(partition, PORTS[0])
    assert told(partition) == "quiet"


def test_nothing_to_plug_into(nics, partition, served):
    """A switch or adapter that is not there is the operator's to mend, and is said so."""
    gone = Backing("3f1c4a0e-7c2d-11e6-8b77-0242ac130004", vif(served, 0).backing.port)
    with pytest.raises(AdapterMissing, match="adapter mappings") as raised:
        nics.plug(partition, vif(served, 0)._replace(backing=gone))
    assert PORTS[0] in str(raised.value)
