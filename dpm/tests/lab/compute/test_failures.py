"""Whatever goes wrong while a server is made: nothing is left of it, and Nova says why."""

import pytest

from firstlight_dpm.mock.faults import Fault
from nova_in_one_process import NOTHING, Cloud, one_process

# What Nova warns of as it runs, in threads of its own, is not ours.
pytestmark = pytest.mark.filterwarnings("ignore")

#: Whatever changes something.
CHANGES = {"method": "POST|DELETE", "uri": "/api/(?!sessions|services).*"}


@pytest.fixture(scope="module", params=["z13", "z14"])
def cloud(request):
    """A machine with HBAs, and one with storage groups."""
    with one_process(request.param) as cloud:
        yield cloud


@pytest.fixture(autouse=True)
def _no_faults(cloud: Cloud):
    """The HMC is well again after each test, and empty."""
    yield
    cloud.hmc.console.faults.clear()
    assert cloud.left() == NOTHING


def test_each_change_fails(cloud: Cloud):
    """One change after the other is refused: the server is in error, and nothing is left."""
    faults, passed = cloud.hmc.console.faults, 0
    while True:
        faults.clear()
        faults.add(Fault(**CHANGES, skip=passed, times=1, status=500, message=f"bad luck {passed}"))
        server = cloud.ended_server([cloud.port()], cloud.volume())
        if server["status"] == "ACTIVE":
            break
        assert cloud.left() == NOTHING, f"after {passed} changes"
        assert f"bad luck {passed}" in cloud.log(), f"after {passed} changes"
        cloud._delete_server(server)
        passed += 1
    # The partition, two HBAs (or the group, its attachment, volume and fulfilment), the boot
    # volume, the NIC (and the command line), the start.
    assert passed >= 7
    faults.clear()
    cloud._delete_server(server)
