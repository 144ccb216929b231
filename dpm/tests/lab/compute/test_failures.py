"""Whatever goes wrong with a server in real Nova: nothing is left of it, and Nova says why."""

import pytest
from nova.exception import HypervisorUnavailable
from nova.tests.functional.api.client import OpenStackApiException

from firstlight_dpm.mock.faults import Fault
from nova_in_one_process import NOTHING, Cloud, one_process

# What Nova warns of as it runs, in threads of its own, is not ours.
pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(scope="module")
def cloud():
    """One host on a machine with storage groups, which outlive a partition."""
    with one_process("z14") as cloud:
        yield cloud


@pytest.fixture(autouse=True)
def _no_faults(cloud: Cloud):
    """The HMC is well again after each test, and empty."""
    yield
    cloud.hmc.console.faults.clear()
    assert cloud.left() == NOTHING


def test_start_fails(cloud: Cloud):
    """A partition that does not start leaves nothing, and the log says why."""
    cloud.hmc.console.faults.add(
        Fault(uri=".*/operations/start", times=1, status=500, message="no such luck", job=True)
    )
    server = cloud.ended_server([cloud.port()], cloud.volume())
    assert server["status"] == "ERROR"
    assert cloud.left() == NOTHING
    assert "no such luck" in cloud.log()
    cloud._delete_server(server)


def test_cinder_fails(cloud: Cloud):
    """When Cinder maps no volume, the partition that was made for it goes."""
    with cloud.no_mapping():
        server = cloud.ended_server([cloud.port()], cloud.volume())
    assert server["status"] == "ERROR"
    assert cloud.left() == NOTHING
    cloud._delete_server(server)


def test_hmc_goes_away(cloud: Cloud):
    """An HMC that goes away, and comes back, leaves power states as they were."""
    server = cloud.make_server([], cloud.volume())
    cloud.hmc.console.faults.add(Fault(drop=True))
    with pytest.raises(HypervisorUnavailable):
        cloud.compare(server)
    for _ in range(2):
        cloud._run_periodics()
    assert cloud.log().count("the machine is out of sight") == 1
    assert cloud.api.get_server(server["id"])["OS-EXT-STS:power_state"] == 1
    with pytest.raises(OpenStackApiException):
        cloud.api.post_server_action(server["id"], {"reboot": {"type": "HARD"}})
    cloud.hmc.console.faults.clear()
    for _ in range(2):
        cloud._run_periodics()
    assert cloud.log().count("is in sight again") == 1
    cloud._reboot_server(server, hard=True)
    cloud._delete_server(server)


def test_delete_fails(cloud: Cloud):
    """A server whose partition cannot be stopped keeps its ports, and can be deleted again."""
    port = cloud.port()
    server = cloud.make_server([port], cloud.volume())
    cloud.hmc.console.faults.add(Fault(uri=".*/operations/stop", times=1, status=500))
    with pytest.raises(OpenStackApiException):
        cloud.api.delete_server(server["id"])
    server = cloud._wait_for_state_change(server, "ERROR")
    assert cloud.partition().properties["status"] == "active"
    assert cloud.neutron._ports[port]["device_id"] == server["id"]
    cloud._delete_server(server)
