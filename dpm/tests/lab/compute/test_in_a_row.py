"""Servers made and deleted in a row: nothing stays on the HMC, nor in nova-compute.

FIRSTLIGHT_SOAK makes it 50 servers.
"""

import os
import time

import pytest

from nova_in_one_process import HOST, NOTHING, one_process

# What Nova warns of as it runs, in threads of its own, is not ours.
pytestmark = pytest.mark.filterwarnings("ignore")

COUNT = 50 if os.environ.get("FIRSTLIGHT_SOAK") else 3


def test_in_a_row(capsys: pytest.CaptureFixture[str]):
    """Each leaves the HMC as it was, and Placement with all of it to give."""
    seconds = []
    with one_process("z14") as cloud:
        for _ in range(COUNT):
            began = time.monotonic()
            server = cloud.make_server([cloud.port()], cloud.volume())
            seconds.append(time.monotonic() - began)
            cloud._delete_server(server)
            assert cloud.left() == NOTHING
        provider = cloud._get_provider_uuid_by_host(HOST)
        assert cloud._get_provider_usages(provider) == {"VCPU": 0, "MEMORY_MB": 0}
        # One for each thread that has worked: Nova's RPC server has 64 at most, and there are
        # its periodic tasks'.
        assert len(cloud.hmc.console._sessions) <= 72
    with capsys.disabled():
        print(f"\n{COUNT} servers: {min(seconds):.1f} to {max(seconds):.1f} s each, Nova included")
