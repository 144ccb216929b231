"""When the HMC goes away in the middle, what stays is taken away once it is back.

Nova asks for that only once. Only requests that change something fail here, those that tell go on,
so that Nova does all that it does when it can.
"""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from nova.context import get_admin_context
from nova.tests.functional.api.client import OpenStackApiException

from firstlight_dpm.compute import partitions
from firstlight_dpm.compute.ports.nics import Nics
from firstlight_dpm.mock.faults import Fault
from nova_in_one_process import HOST, NOTHING, Cloud, one_process

# What Nova warns of as it runs, in threads of its own, is not ours.
pytestmark = pytest.mark.filterwarnings("ignore")

#: Whatever takes something away.
TAKING = (
    Fault(method="DELETE", uri="/api/partitions.*", drop=True),
    Fault(method="POST", uri=".*/operations/(stop|detach|delete).*", drop=True),
)


@pytest.fixture(scope="module", params=["z13", "z14"])
def cloud(request: pytest.FixtureRequest) -> Iterator[Cloud]:
    """One host, on HBAs or storage groups."""
    with one_process(request.param) as cloud:
        yield cloud


@pytest.fixture(autouse=True)
def _well_and_empty(cloud: Cloud) -> Iterator[None]:
    yield
    cloud.hmc.console.faults.clear()
    assert cloud.left() == NOTHING


def trouble(cloud: Cloud, *faults: Fault) -> None:
    """From now on the HMC does neither this, nor takes anything away."""
    for fault in (*faults, *TAKING):
        cloud.hmc.console.faults.add(Fault(**vars(fault)))


def test_spawning(cloud: Cloud):
    """A partition whose server became none goes, though Nova never asks for it again."""
    trouble(cloud, Fault(method="POST", uri=".*/nics", drop=True))
    server = cloud.ended_server([cloud.port()], cloud.volume())
    assert server["status"] == "ERROR"
    assert cloud.instance(server).host is None
    cloud._run_periodics()
    assert cloud.left() != NOTHING
    cloud.hmc.console.faults.clear()
    cloud._run_periodics()
    assert cloud.left() == NOTHING
    cloud._delete_server(server)


def test_started_again(cloud: Cloud):
    """A new nova-compute finds what the old one left; not what Nova does not know, nor servers."""
    server = cloud.make_server([], cloud.volume())
    own = cloud.computes[HOST].driver._partitions
    own.make(unknown := str(uuid4()), 1, 1024)
    trouble(cloud, Fault(method="POST", uri=".*/nics", drop=True))
    failed = cloud.ended_server([cloud.port()], cloud.volume())
    cloud.start_host(HOST)
    cloud.hmc.console.faults.clear()
    cloud._run_periodics()
    assert own.all().keys() == {server["id"], unknown}
    assert f"Nova has no server {unknown}" in cloud.log()
    partitions.delete(own.get(unknown))
    for one in (server, failed):
        cloud._delete_server(one)


def test_connecting(cloud: Cloud):
    """Nova's reason is that of the failure, not of the cleaning up."""
    trouble(cloud)
    with cloud.no_mapping():
        server = cloud.ended_server([], cloud.volume())
    assert "no such luck" in server["fault"]["message"]
    assert cloud.left() != NOTHING
    cloud.hmc.console.faults.clear()
    cloud._run_periodics()
    assert cloud.left() == NOTHING
    cloud._delete_server(server)


def test_unshelving(cloud: Cloud):
    """If Cinder then maps no volume, the new partition goes; the server stays as it was."""
    server = cloud.make_server([], cloud.volume())
    cloud._shelve_server(server)
    with cloud.no_mapping():
        # All of Nova is one process here; otherwise its API has answered before.
        with pytest.raises(OpenStackApiException):
            cloud.api.post_server_action(server["id"], {"unshelve": None})
        cloud._wait_for_server_parameter(server, {"OS-EXT-STS:task_state": None})
    assert cloud._show_server(server)["status"] == "SHELVED_OFFLOADED"
    assert cloud.left() != NOTHING
    cloud._run_periodics()
    assert cloud.left() == NOTHING
    cloud._unshelve_server(server)
    cloud._run_periodics()
    assert cloud.partition().properties["status"] == "active"
    cloud._delete_server(server)


def test_deleted(cloud: Cloud, monkeypatch: pytest.MonkeyPatch):
    """A partition whose server Nova has deleted is what Nova itself looks for, and takes away."""
    server = cloud.make_server([], cloud.volume())
    manager = cloud.computes[HOST].manager
    with monkeypatch.context() as patch:
        patch.setattr(manager.driver, "destroy", lambda *_, **__: None)
        cloud._delete_server(server)
    assert cloud.left() != NOTHING
    cloud.flags(running_deleted_instance_timeout=0)
    manager._cleanup_running_deleted_instances(get_admin_context())
    assert cloud.left() == NOTHING


def test_attaching_a_port(cloud: Cloud):
    """The guest does not keep the NIC of a port that is another's meanwhile; attached again, it
    stays."""
    server, port = cloud.make_server([], cloud.volume()), cloud.port()
    for fault in (
        Fault(method="GET", uri=".*/nics/.*", status=500),
        Fault(method="DELETE", uri=".*/nics/.*", drop=True),
    ):
        cloud.hmc.console.faults.add(fault)
    with pytest.raises(OpenStackApiException):
        cloud._attach_interface(server, port)
    cloud._run_periodics()
    assert len(cloud.partition().nics.list()) == 1
    cloud.hmc.console.faults.clear()
    cloud._run_periodics()
    assert cloud.partition().nics.list() == []
    cloud._attach_interface(server, port)
    cloud._run_periodics()
    assert len(cloud.partition().nics.list()) == 1
    cloud._delete_server(server)


def test_somebody_else_takes_it_away(cloud: Cloud, monkeypatch: pytest.MonkeyPatch):
    """A partition that somebody deletes while it becomes a server: Nova is told, and says so."""
    plug = Nics.plug

    def vanish(*arguments: object) -> None:
        plug(*arguments)
        cloud.machine.partitions.remove(cloud.partition().oid)

    with monkeypatch.context() as patch:
        patch.setattr(Nics, "plug", vanish)
        server = cloud.ended_server([cloud.port()], cloud.volume())
    assert server["status"] == "ERROR"
    assert "somebody else has deleted it" in cloud.log()
    cloud._delete_server(server)
    cloud._run_periodics()


def test_somebody_else_is_faster(cloud: Cloud, monkeypatch: pytest.MonkeyPatch):
    """One that somebody deletes while Nova does is deleted: no error."""
    server, stop = cloud.make_server([], cloud.volume()), partitions.stop

    def vanish(*arguments: Any) -> None:
        cloud.machine.partitions.remove(cloud.partition().oid)
        stop(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(partitions, "stop", vanish)
        cloud._delete_server(server)
