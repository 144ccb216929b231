"""NICs on a served HMC: made, told to the guest, taken away; each may be repeated."""

import pytest
from nova import exception

from firstlight_dpm.backing import Backing
from firstlight_dpm.compute.nics import PARAMETERS, Nics
from firstlight_dpm.compute.partitions import Partitions
from firstlight_dpm.compute.vifs import Vif
from firstlight_dpm.errors import AdapterMissing
from firstlight_dpm.hmc import features

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
