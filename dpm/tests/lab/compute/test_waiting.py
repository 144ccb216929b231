"""A partition starts when Neutron says that its ports are up, as Nova's options want it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from nova_in_one_process import NOTHING, Cloud, one_process
from support.servers.databases import eventually

# What Nova warns of as it runs, in threads of its own, is not ours.
pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(scope="module")
def cloud():
    """One host; which machine makes no difference here."""
    with one_process("z14") as cloud:
        yield cloud


@pytest.fixture(autouse=True)
def _waits(cloud: Cloud):
    """Nova waits, and holds a port that does not come up for fatal; nothing is left."""
    cloud.flags(vif_plugging_timeout=60, vif_plugging_is_fatal=True)
    yield
    assert cloud.left() == NOTHING


def port(cloud: Cloud) -> str:
    """A port that is not up yet."""
    uuid = cloud.port()
    cloud.neutron._ports[uuid]["status"] = "DOWN"
    return uuid


class Agent:
    """What the L2 agent and Neutron do: see the NIC, tell Nova."""

    def __init__(self, cloud: Cloud, uuid: str, says: str) -> None:
        self.status_when_told = ""
        self._cloud, self._port, self._says = cloud, uuid, says

    def run(self) -> None:
        """Wait for the NIC, and tell."""
        assert eventually(self._nic_is_there, 60)
        partition = self._cloud.partition()
        self.status_when_told = partition.properties["status"]
        event = {
            "name": "network-vif-plugged",
            "server_uuid": partition.name[-36:],
            "tag": self._port,
            "status": self._says,
        }
        self._cloud.admin_api.create_server_external_events([event])

    def _nic_is_there(self) -> bool:
        names = [nic.name for one in self._cloud.partitions() for nic in one.nics.list()]
        return f"OpenStack_Port_{self._port}" in names


@contextmanager
def agent(cloud: Cloud, uuid: str, says: str) -> Iterator[Agent]:
    """An agent at work."""
    made = Agent(cloud, uuid, says)
    thread = threading.Thread(target=made.run)
    thread.start()
    yield made
    thread.join(60)
    assert not thread.is_alive()


def test_told(cloud: Cloud):
    """The partition is not started before Neutron has said that the port is up."""
    waited = port(cloud)
    with agent(cloud, waited, "completed") as seen:
        server = cloud.make_server([waited], cloud.volume())
    assert seen.status_when_told == "stopped"
    assert cloud.partition().properties["status"] == "active"
    cloud._delete_server(server)


def test_neutron_fails(cloud: Cloud):
    """A port that Neutron cannot set up ends the server, with nothing left."""
    waited = port(cloud)
    with agent(cloud, waited, "failed"):
        server = cloud.ended_server([waited], cloud.volume())
    assert server["status"] == "ERROR"
    assert cloud.left() == NOTHING
    cloud._delete_server(server)


def test_nobody_tells(cloud: Cloud):
    """A port that does not come up in time ends the server; the log says what to look at."""
    cloud.flags(vif_plugging_timeout=1)
    waited = port(cloud)
    server = cloud.ended_server([waited], cloud.volume())
    assert server["status"] == "ERROR"
    assert cloud.left() == NOTHING
    assert f"these ports are up: {waited}; see that neutron-dpm-agent runs" in cloud.log()
    cloud._delete_server(server)


def test_not_fatal(cloud: Cloud):
    """With vif_plugging_is_fatal off the server starts all the same."""
    cloud.flags(vif_plugging_timeout=1, vif_plugging_is_fatal=False)
    server = cloud.make_server([port(cloud)], cloud.volume())
    assert cloud.partition().properties["status"] == "active"
    cloud._delete_server(server)


def test_told_not_to_wait(cloud: Cloud):
    """With a vif_plugging_timeout of 0 the server starts at once, whatever its ports are."""
    cloud.flags(vif_plugging_timeout=0)
    server = cloud.make_server([port(cloud)], cloud.volume())
    assert cloud.partition().properties["status"] == "active"
    cloud._delete_server(server)
