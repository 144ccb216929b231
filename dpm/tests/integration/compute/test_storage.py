"""Storage on a served HMC: one suite for HBAs and storage groups."""

import pytest
import zhmcclient

from firstlight_dpm.compute.boot import Path
from firstlight_dpm.compute.partitions import Partitions
from firstlight_dpm.compute.storage import Hbas, StorageGroups
from firstlight_dpm.errors import Gone
from firstlight_dpm.hmc import features
from firstlight_dpm.options import StoragePort

UUID = "88dae9fa-0dc6-49e3-8c29-3abc41e99ac9"
TARGET = "500507680b244ac1"
LUN = "0001000000000000"


@pytest.fixture
def ports(served):
    """The operator's, the second adapter first."""
    return tuple(StoragePort(*one.split(":")) for one in reversed(served.machine.storage_ports))


@pytest.fixture
def storage(hmc, ports):
    """What the machine wants."""
    if features(hmc.find_cpc()).storage_groups:
        return StorageGroups(hmc, "sub1", ports)
    return Hbas("sub1", ports)


@pytest.fixture
def partition(hmc):
    """A new partition."""
    return Partitions(hmc, "sub1", "node").make(UUID, 1, 1024)


@pytest.fixture(autouse=True)
def _no_groups_left(served):
    """Groups outlive a partition that a test leaves."""
    yield
    groups = served.console.groups
    for group in list(groups.list()):
        groups.remove(group.oid)


def properties(partition: zhmcclient.Partition) -> dict[str, object]:
    """The partition's, read now."""
    partition.pull_full_properties()
    return dict(partition.properties)


def test_prepared(storage, partition, ports):
    """Each port has a WWPN of 16 digits before anything is started, and keeps it."""
    storage.prepare(partition)
    wwpns = storage.initiators(partition)
    assert len(set(wwpns)) == len(ports)
    assert {len(one) for one in wwpns} == {16}
    storage.prepare(partition)
    assert storage.initiators(partition) == wwpns


def test_order(storage, partition, served):
    """The boot adapter is the first line of the configuration, not of the HMC."""
    storage.prepare(partition)
    first = served.machine.storage_ports[1].split(":")[0]
    assert port_of(served, storage.initiators(partition)[0]) == first


def port_of(served, wwpn: str) -> str:
    """The adapter that a WWPN is on."""
    resources = [
        one.properties
        for one in served.console.mock.hmc.all_resources.values()
        if "adapter-port-uri" in one.properties
    ]
    (found,) = (
        one for one in resources if wwpn in (one.get("wwpn"), one.get("world-wide-port-name"))
    )
    return str(found["adapter-port-uri"]).split("/")[3]


def test_boot_from(storage, partition):
    """The partition can be started from the path, and from another when that is said."""
    storage.prepare(partition)
    first, second = storage.initiators(partition)
    storage.boot_from(partition, Path(first, TARGET, LUN, 8))
    assert properties(partition)["boot-device"] in ("storage-adapter", "storage-volume")
    storage.boot_from(partition, Path(second, TARGET, LUN, 8))
    partition.start()


def test_boot_from_nothing(storage, partition):
    """A port, or a group, that somebody took away is missing, and nothing else is."""
    with pytest.raises(Gone):
        storage.boot_from(partition, Path("c05076ffe5ffffff", TARGET, LUN))


def test_released(storage, partition, served):
    """Nothing outlives the partition; doing it again, or without the partition, is no error."""
    storage.prepare(partition)
    wwpn = storage.initiators(partition)[0]
    storage.boot_from(partition, Path(wwpn, TARGET, LUN))
    storage.release(partition.name, partition)
    assert served.console.groups.list() == []
    storage.release(partition.name, partition)
    partition.delete()
    storage.release(partition.name, None)


def test_released_without_the_partition(storage, partition, served):
    """What a partition left that somebody deleted by hand is cleared, too."""
    storage.prepare(partition)
    partition.delete()
    storage.release(partition.name, None)
    assert served.console.groups.list() == []


@pytest.mark.parametrize("served", ["z14"], indirect=True)
def test_only_the_operator_s_ports(hmc, served, ports):
    """Ports that the HMC offers by itself are taken from a group."""
    one = StorageGroups(hmc, "sub1", ports[:1])
    partition = Partitions(hmc, "sub1", "node").make(UUID, 1, 1024)
    one.prepare(partition)
    assert [port_of(served, wwpn) for wwpn in one.initiators(partition)] == [ports[0].adapter]
