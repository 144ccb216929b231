"""Storage on a served HMC: one suite for HBAs and storage groups."""

import re
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace

import pytest
import zhmcclient

from firstlight_dpm.compute.boot import Path
from firstlight_dpm.compute.partitions import Partitions
from firstlight_dpm.compute.storage import Hbas, StorageGroups
from firstlight_dpm.errors import Busy, Gone, Refused
from firstlight_dpm.hmc import Hmc, features
from firstlight_dpm.mock.faults import Fault
from firstlight_dpm.options import StoragePort

UUID = "88dae9fa-0dc6-49e3-8c29-3abc41e99ac9"
TARGET = "500507680b244ac1"
LUN = "0001000000000000"

#: What an HMC is told to boot by: an adapter's port, or an HBA.
_BOOT_PORTS = ("adapter-port-uri", "boot-storage-device")


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


@pytest.fixture
def booting(storage, partition):
    """The same, ready to be started."""
    storage.prepare(partition)
    storage.boot_from(partition, Path(storage.initiators(partition)[0], TARGET, LUN))
    return partition


@pytest.fixture(autouse=True)
def _no_groups_left(served):
    """Groups outlive a partition that a test leaves."""
    yield
    groups = served.console.groups
    for group in list(groups.list()):
        groups.remove(group.oid)


@pytest.fixture
def heard(served, monkeypatch) -> list[dict[str, object]]:
    """The bodies of the requests that reach the HMC."""
    bodies, answer = [], served.console.answer

    def hearing(request, session):
        bodies.append(request.body)
        return answer(request, session)

    monkeypatch.setattr(served.console, "answer", hearing)
    return bodies


@pytest.fixture
def meanwhile(served, hmc, monkeypatch) -> Callable[[str, Callable[[Hmc], None]], list[str]]:
    """Lets somebody do something before the first request that fits; returns what it fitted."""
    answer, done = served.console.answer, []

    def begin(before: str, do: Callable[[Hmc], None]) -> list[str]:
        def answering(request, session):
            asked = f"{request.method} {request.uri}"
            if not done and re.fullmatch(before, asked):
                done.append(asked)
                do(hmc)
            return answer(request, session)

        monkeypatch.setattr(served.console, "answer", answering)
        return done

    return begin


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


def port_resources(served) -> list[dict[str, object]]:
    """The properties of all HBAs and virtual storage resources."""
    everything = served.console.mock.hmc.all_resources.values()
    return [one.properties for one in everything if "adapter-port-uri" in one.properties]


def give(served, old: str, new: Iterable[str]) -> None:
    """The machine gives the ports of that WWPN others."""
    ports = [one for one in port_resources(served) if wwpn_of(one) == old]
    for port, wwpn in zip(ports, new, strict=True):
        info = {"world-wide-port-name": wwpn}
        port.update({"wwpn": wwpn} if "wwpn" in port else {"world-wide-port-name-info": info})


def wwpn_of(port: dict[str, object]) -> object:
    """As an HBA or a virtual storage resource has it."""
    info = port.get("world-wide-port-name-info")
    return info["world-wide-port-name"] if info else port["wwpn"]


def port_of(served, wwpn: str) -> str:
    """The adapter that a WWPN is on."""
    (found,) = (one for one in port_resources(served) if wwpn_of(one) == wwpn)
    return str(found["adapter-port-uri"]).split("/")[3]


@pytest.mark.parametrize("missing", [None, "", "0000000000000000"])
def test_no_wwpns_yet(storage, partition, served, monkeypatch, missing):
    """A machine that gives no WWPN in time: an error, and nothing that Cinder could believe."""
    monkeypatch.setattr(served.console, "new_wwpn", lambda: missing)
    impatient = replace(storage, patience=0.1)
    if served.machine.storage_groups:
        with pytest.raises(Busy, match="not given every port a WWPN yet"):
            impatient.prepare(partition)
    impatient.prepare(partition)
    with pytest.raises(Busy, match="not given every port a WWPN yet"):
        impatient.initiators(partition)


@pytest.mark.parametrize("served", ["z14"], indirect=True)
def test_one_wwpn_is_missing(storage, partition, served):
    """Half of the paths are not what Cinder is told."""
    storage.prepare(partition)
    _, second = storage.initiators(partition)
    give(served, second, ["0000000000000000"])
    with pytest.raises(Busy):
        replace(storage, patience=0.1).initiators(partition)


def test_wwpns_that_come_late(storage, partition, served, monkeypatch):
    """They are waited for."""
    coming = ["c05076ffe5000001", "c05076ffe5000002"]
    monkeypatch.setattr(served.console, "new_wwpn", lambda: "0")
    with suppress(Busy):
        replace(storage, patience=0).prepare(partition)
    later = threading.Timer(0.3, give, (served, "0", coming))
    later.start()
    assert set(storage.initiators(partition)) == set(coming)
    later.join()


def test_no_port_at_all(storage, partition, served):
    """Somebody took all ports away: an error, not an empty list."""
    with pytest.raises(Gone):
        storage.initiators(partition)
    storage.prepare(partition)
    partition.pull_full_properties()
    if served.machine.storage_groups:
        (group,) = partition.list_attached_storage_groups()
        partition.detach_storage_group(group)
    else:
        for hba in partition.hbas.list():
            hba.delete()
    with pytest.raises((Busy, Gone)):
        replace(storage, patience=0.1).initiators(partition)


def test_boot_from(storage, partition):
    """The partition can be started from the path, and from another when that is said."""
    storage.prepare(partition)
    first, second = storage.initiators(partition)
    storage.boot_from(partition, Path(first, TARGET, LUN, 8))
    assert properties(partition)["boot-device"] in ("storage-adapter", "storage-volume")
    storage.boot_from(partition, Path(second, TARGET, LUN, 8))
    partition.start()


def test_boot_port(storage, partition, served, heard):
    """The firmware is told the port that the path begins at, whichever of them that is."""
    storage.prepare(partition)
    for initiator in storage.initiators(partition):
        heard.clear()
        storage.boot_from(partition, Path(initiator, TARGET, LUN, 8))
        (told,) = (value for body in heard for key, value in body.items() if key in _BOOT_PORTS)
        port = served.console.get(told).properties.get("adapter-port-uri", told)
        assert port.split("/")[3] == port_of(served, initiator)


def test_boot_from_nothing(storage, partition):
    """A port, or a group, that somebody took away is missing, and nothing else is."""
    with pytest.raises(Gone):
        storage.boot_from(partition, Path("c05076ffe5ffffff", TARGET, LUN))


def test_released(storage, booting, served):
    """Nothing outlives the partition; doing it again, or without the partition, is no error."""
    storage.release(booting.name, booting)
    assert served.console.groups.list() == []
    storage.release(booting.name, booting)
    booting.delete()
    storage.release(booting.name, None)


def test_released_without_the_partition(storage, partition, served):
    """What a partition left that somebody deleted by hand is cleared, too."""
    storage.prepare(partition)
    partition.delete()
    storage.release(partition.name, None)
    assert served.console.groups.list() == []


@pytest.mark.parametrize("served", ["z14"], indirect=True)
def test_boot_device_is_reset_first(storage, booting, served):
    """A partition never names a boot volume of a group that it has not."""
    served.console.faults.add(Fault(uri=".*/detach-storage-group", times=1, status=500))
    with pytest.raises(Refused):
        storage.release(booting.name, booting)
    assert properties(booting)["boot-device"] == "none"


def delete_partition(hmc) -> None:
    """As somebody else does."""
    Partitions(hmc, "sub1", "node").get(UUID).delete()


def delete_group(hmc) -> None:
    """As somebody else does."""
    partition = Partitions(hmc, "sub1", "node").get(UUID)
    for group in partition.list_attached_storage_groups():
        partition.detach_storage_group(group)
    for group in hmc.client().consoles.console.storage_groups.list():
        group.delete()


@pytest.mark.parametrize("served", ["z14"], indirect=True)
@pytest.mark.parametrize("delete", [delete_partition, delete_group])
@pytest.mark.parametrize(
    "before",
    [
        "GET /api/partitions/[^/]+",
        "POST /api/partitions/[^/]+",
        "POST .*/detach-storage-group",
        "POST /api/storage-groups/[^/]+/operations/delete",
    ],
)
def test_deleted_while_it_is_released(storage, booting, meanwhile, before, delete):
    """Somebody else deletes the partition or the group between two requests: the other goes."""
    done = meanwhile(before, delete)
    storage.release(booting.name, booting)
    assert done
    assert storage.hmc.client().consoles.console.storage_groups.list() == []


@pytest.mark.parametrize("served", ["z14"], indirect=True)
def test_only_the_operator_s_ports(hmc, served, ports):
    """Ports that the HMC offers by itself are taken from a group."""
    one = StorageGroups(hmc, "sub1", ports[:1])
    partition = Partitions(hmc, "sub1", "node").make(UUID, 1, 1024)
    one.prepare(partition)
    assert [port_of(served, wwpn) for wwpn in one.initiators(partition)] == [ports[0].adapter]


@pytest.mark.parametrize("served", ["z14"], indirect=True)
def test_ports_in_use_are_left_alone(hmc, served, ports):
    """Once a group is attached the HMC is not asked to change its ports, which it would refuse;
    Nova asks for the connector more than once."""
    partition = Partitions(hmc, "sub1", "node").make(UUID, 1, 1024)
    StorageGroups(hmc, "sub1", ports[:1]).prepare(partition)
    before = len(served.console.requests)
    StorageGroups(hmc, "sub1", ports).prepare(partition)
    assert {method for method, _ in served.console.requests[before:]} == {"GET"}
