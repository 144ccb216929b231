"""Partitions of a host on a served HMC: each operation may be repeated."""

from urllib.parse import parse_qs, urlsplit

import pytest
import zhmcclient
from nova import exception

from firstlight_dpm.compute import partitions
from firstlight_dpm.compute.partitions import Partitions
from firstlight_dpm.errors import Busy, HmcError, Unreachable, WrongStatus
from firstlight_dpm.mock.faults import Fault
from firstlight_dpm.mock.resources import messages

UUID = "88dae9fa-0dc6-49e3-8c29-3abc41e99ac9"
NODE = "99999999-2222-4333-8444-555555555555"


@pytest.fixture
def own(hmc):
    """The partitions of a host whose name a pattern would understand."""
    return Partitions(hmc, "sub.1", NODE)


def real(served, name: str = f"OpenStack-sub.1-{UUID}"):
    """The mock's own object."""
    found = served.console.mock.hmc.cpcs.list()[0].partitions.list()
    return next(one for one in found if one.name == name)


def test_made(own, served):
    """Five properties are sent, as nova-dpm did; the description says which node."""
    own.make(UUID, 2, 4096)
    properties = real(served).properties
    assert properties["description"] == f"OpenStack CPCSubset=sub.1 node={NODE}"
    assert properties["ifl-processors"] == 2
    assert properties["initial-memory"] == properties["maximum-memory"] == 4096


def test_made_twice(own):
    """A partition that is there is taken as it is."""
    assert own.make(UUID, 2, 4096).uri == own.make(UUID, 3, 1024).uri


def test_found_by_its_whole_name(own, served):
    """Neither a longer name nor one that the dot would match is this host's."""
    machine = served.console.mock.hmc.cpcs.list()[0]
    for name in (f"OpenStack-subx1-{UUID}", f"XOpenStack-sub.1-{UUID}", "OpenStack-sub.1-junk"):
        machine.partitions.add({"name": name, "initial-memory": 1024})
    assert own.find(UUID) is None
    assert own.all() == {}
    made = own.make(UUID, 1, 1024)
    assert own.find(UUID).uri == made.uri
    assert set(own.all()) == {UUID}


def test_not_there(own):
    """What must be there and is not, is an instance that Nova does not find."""
    with pytest.raises(exception.InstanceNotFound):
        own.get(UUID)


def test_one_request_finds_it(own, served):
    """Asking for one partition does not list all of them, and brings its status."""
    own.make(UUID, 1, 1024)
    before = len(served.console.requests)
    assert own.find(UUID).properties["status"] == "stopped"
    assert len(served.console.requests) == before + 1
    (asked,) = parse_qs(urlsplit(served.console.requests[-1][1]).query)["name"]
    assert asked == f"OpenStack-sub.1-{UUID}"


def test_start_and_stop_twice(own, served):
    """What is so already is left alone."""
    partition = own.make(UUID, 1, 1024)
    for operation, status in ((partitions.start, "active"), (partitions.stop, "stopped")):
        operation(partition)
        operation(partition)
        assert real(served).properties["status"] == status


@pytest.mark.parametrize("status", ["paused", "terminated"])
def test_start_of_what_has_ended(own, served, status: str):
    """A partition whose guest has crashed is stopped first."""
    partition = own.make(UUID, 1, 1024)
    partitions.start(partition)
    real(served).properties["status"] = status
    partitions.start(partition)
    assert real(served).properties["status"] == "active"


@pytest.mark.parametrize("status", ["degraded", "reservation-error"])
def test_degraded_runs(own, served, status: str):
    """A partition that runs with less than it should have is not started again."""
    partition = own.make(UUID, 1, 1024)
    real(served).properties["status"] = status
    partitions.start(partition)
    assert real(served).properties["status"] == status


def comes_up(monkeypatch: pytest.MonkeyPatch, status: str) -> None:
    """From now on a partition that is started is in that status then."""
    monkeypatch.setattr(
        messages, "write", lambda _, partition: partition.properties.update(status=status)
    )


@pytest.mark.parametrize("status", ["degraded", "reservation-error"])
def test_starts_with_less(own, served, monkeypatch, status: str):
    """One that comes up with less than it should have has been started."""
    comes_up(monkeypatch, status)
    partitions.start(own.make(UUID, 1, 1024))
    assert real(served).properties["status"] == status


def test_ends_at_once(own, monkeypatch):
    """One whose guest crashes at once has not: it is not waited for in vain."""
    comes_up(monkeypatch, "terminated")
    with pytest.raises(WrongStatus, match="the guest has ended already"):
        partitions.start(own.make(UUID, 1, 1024))


def test_restart(own, served):
    """A stopped one is started, a running one stopped before."""
    partition = own.make(UUID, 1, 1024)
    for _ in range(2):
        partitions.restart(partition)
        assert real(served).properties["status"] == "active"


def test_deleted_twice(own):
    """What is gone is no complaint."""
    partition = own.make(UUID, 1, 1024)
    partitions.delete(partition)
    partitions.delete(partition)
    assert own.find(UUID) is None


def test_running_is_not_deleted(own):
    """A partition that runs is refused by the HMC, and stays."""
    partition = own.make(UUID, 1, 1024)
    partitions.start(partition)
    with pytest.raises(WrongStatus, match=r"deleting partition OpenStack-sub\.1"):
        partitions.delete(partition)


def test_stopped_meanwhile(own, served):
    """Somebody else stops it between the look and the deed."""
    partition = own.make(UUID, 1, 1024)
    partitions.start(partition)
    refusal = Fault(uri=".*/operations/stop", status=409, reason=1)
    served.console.faults.add(refusal)
    with pytest.raises(WrongStatus):
        partitions.stop(partition)
    real(served).properties["status"] = "stopped"
    partitions.stop(partition)


@pytest.mark.parametrize("served", ["z13"], indirect=True)
def test_passing_status(own, served):
    """A partition that is starting is waited for, and not for ever."""
    partition = own.make(UUID, 1, 1024)
    real(served).properties["status"] = "starting"
    with pytest.raises(HmcError, match="which is starting"):
        partitions.stop(partition)


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (Fault(drop=True), Unreachable),
        (Fault(status=409, reason=2), Busy),
        (Fault(status=409, reason=6), Unreachable),
    ],
)
def test_errors(own, served, fault: Fault, expected: type[HmcError]):
    """zhmcclient's exceptions stop here, whatever it is."""
    served.console.faults.add(fault)
    with pytest.raises(expected) as raised:
        own.find(UUID)
    assert isinstance(raised.value.__cause__, zhmcclient.Error)
