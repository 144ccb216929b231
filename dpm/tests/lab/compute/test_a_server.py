"""A server's life in real Nova, on each generation of machine."""

import pytest

import nova_in_one_process
from nova_in_one_process import HOST, NOTHING, one_process

# What Nova warns of as it runs, in threads of its own, is not ours.
pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(scope="module", params=["z13", "z14", "z16", "z17"])
def cloud(request):
    """One compute host on a machine of each generation."""
    with one_process(request.param) as cloud:
        yield cloud


def test_life(cloud: nova_in_one_process.OneProcess):
    """Create, stop, start, reboot, delete: the partition follows, and nothing is left."""
    server = cloud.make_server([cloud.port()], cloud.volume())
    partition = cloud.partition()
    assert partition.properties["status"] == "active"
    assert partition.name == f"OpenStack-{HOST}-{server['id']}"
    cloud._stop_server(server)
    assert partition.properties["status"] == "stopped"
    cloud._start_server(server)
    assert partition.properties["status"] == "active"
    cloud._reboot_server(server, hard=True)
    assert partition.properties["status"] == "active"
    cloud._delete_server(server)
    assert cloud.left() == NOTHING
