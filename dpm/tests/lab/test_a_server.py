"""A server's life in real Nova, on each generation of machine."""

import pytest
from nova_in_one_process import HOST, NOTHING, one_process


def test_life():
    """Create, stop, start, reboot, delete: the partition follows, and nothing is left."""
    with one_process("z13") as cloud:
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
