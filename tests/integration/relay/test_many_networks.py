"""Many networks in one process: each costs little, and each is answered.

FIRSTLIGHT_SOAK makes it 500 networks.
"""

import os
import subprocess
import time
from pathlib import Path
from uuid import uuid4

from support.parts import need
from support.relay.namespaces import METADATA, METADATA_IPV6
from support.relay.relay_host import RelayHost
from support.servers.databases import eventually

NUMBER = 500 if os.environ.get("FIRSTLIGHT_SOAK") else 40
MOST = 100 * 1024  # bytes for a network, in broker and proxy together


def memory(host):
    """What broker and proxy have for themselves, in bytes."""
    return sum(_own(pid) for each in (host.broker, host.proxy) for pid in each.pids)


def _own(pid):
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    fields = [line.split() for line in lines if line.startswith("Private_")]
    return sum(int(kilobytes) * 1024 for _, kilobytes, _ in fields)


def listeners(host):
    lines = host.metrics().splitlines()
    return next(
        (float(x.split()[1]) for x in lines if x.startswith("firstlight_relay_listeners ")), 0
    )


def test_memory_of_a_network():
    """A network with an IPv4 and an IPv6 listener costs both processes less than 100 KB."""
    with RelayHost() as host:
        warm = host.networks.isolated(f"qdhcp-{uuid4()}")
        assert eventually(lambda: "192.0.2.10" in warm.ask(), 60), host.logs()
        before = memory(host)
        made = []
        for _ in range(NUMBER):
            network = host.networks.namespace(f"qdhcp-{uuid4()}")
            network.run(
                f"ip link set lo up; ip link add tap0 type veth peer name tap1;"
                f" ip link set tap0 up;"
                f" ip addr add {METADATA}/32 dev tap0;"
                f" ip addr add {METADATA_IPV6}/128 dev tap0 nodad"
            )
            made.append(network)
        since = time.monotonic()
        assert eventually(lambda: listeners(host) == 2 * (NUMBER + 1), 60), listeners(host)
        settled = time.monotonic() - since
        curl = f"http://{METADATA}/openstack"
        for network in made:  # each from inside, by its own listener
            answer = subprocess.run(
                network._inside(need("curl"), "-s", "--max-time", "20", curl), capture_output=True
            )
            assert network.path.name.removeprefix("qdhcp-") in answer.stdout.decode()
        each = (memory(host) - before) / NUMBER
        print(
            f"{NUMBER} networks: {each / 1024:.1f} KiB each, {memory(host) >> 20} MiB in all;"
            f" the last was served {settled:.2f} s after it was made"
        )
        assert each < MOST
