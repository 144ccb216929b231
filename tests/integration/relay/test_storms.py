"""Namespaces that appear and vanish in numbers, several times, while guests go on asking.

FIRSTLIGHT_SOAK makes it 100 namespaces, five times.
"""

import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

import pytest

from support.guests.crowd import crowd
from support.relay.namespaces import METADATA, METADATA_IPV6, Namespace
from support.relay.relay_host import PATIENCE, RelayHost
from support.servers.databases import eventually

SOAK = bool(os.environ.get("FIRSTLIGHT_SOAK"))
NUMBER, TIMES = (100, 5) if SOAK else (10, 3)


@pytest.fixture
def host() -> Iterator[RelayHost]:
    # One guest asks as fast as it can; and one connection to the agent is easily told from a leak.
    with RelayHost(guest_rate=0, upstream_connections=1) as running:
        yield running


def listeners(host: RelayHost) -> int:
    """In how many places the proxy listens, by its own count."""
    name = "firstlight_relay_listeners "
    lines = [line for line in host.metrics().splitlines() if line.startswith(name)]
    return int(float(lines[0].split()[1])) if lines else -1


def descriptors(host: RelayHost) -> list[int]:
    """How many files broker and proxy have open, in each of their processes."""
    pids = (*host.broker.pids, *host.proxy.pids)
    return [len(os.listdir(f"/proc/{pid}/fd")) for pid in pids]  # noqa: PTH208  the names alone are wanted


def furnish(directory: Path, name: str) -> Namespace:
    """A namespace with both addresses, as a DHCP agent leaves it."""
    made = Namespace(directory, name).make()
    made.run(
        "ip link set lo up; ip link add tap0 type veth peer name tap1; ip link set tap0 up;"
        f"ip addr add {METADATA}/32 dev tap0; ip addr add {METADATA_IPV6}/128 dev tap0 nodad"
    )
    return made


def breakages(directory: Path) -> list[Path]:
    """What agents that were killed leave behind, and worse."""
    file, pipe, link = (directory / f"qdhcp-{uuid4()}" for _ in range(3))
    file.touch()
    os.mkfifo(pipe)
    link.symlink_to("/proc/self/ns/net")
    return [file, pipe, link]


def test_storms(host: RelayHost) -> None:
    """After each storm every namespace is answered in by its own name, none is left over when they
    are gone, nothing leaks, and a guest who asks all the while is always answered."""
    bystander = str(uuid4())
    guest = host.networks.isolated(f"qdhcp-{bystander}")
    promise = f"x-neutron-network-id {bystander} 192.0.2.10"
    assert eventually(lambda: guest.ask() == promise, PATIENCE), host.logs()
    assert eventually(lambda: listeners(host) == 2, PATIENCE)
    before = descriptors(host)
    with crowd(guest, ["192.0.2.10"], "/openstack") as asking, ThreadPoolExecutor(8) as pool:
        for _ in range(TIMES):
            broken = breakages(host.directory)
            names = [str(uuid4()) for _ in range(NUMBER)]
            made = list(pool.map(lambda n: furnish(host.directory, f"qdhcp-{n}"), names))
            since = time.monotonic()
            assert eventually(lambda: listeners(host) == 2 + 2 * NUMBER, PATIENCE), listeners(host)
            print(f"{NUMBER} appeared: served {time.monotonic() - since:.2f} s after the last")
            told = list(pool.map(Namespace.ask, made))
            assert told == [f"x-neutron-network-id {n} {METADATA}" for n in names]
            assert eventually(lambda b=broken: {p.name for p in b} <= troubles(host), PATIENCE)
            for path in broken:
                path.unlink()
            list(pool.map(Namespace.remove, made))
            since = time.monotonic()
            assert eventually(lambda: listeners(host) == 2, PATIENCE), listeners(host)
            print(f"{NUMBER} vanished: forgotten {time.monotonic() - since:.2f} s after the last")
        answers = asking.answers()["192.0.2.10"]
    assert set(answers) == {f"200 {promise}"}, host.logs()
    assert eventually(lambda: not troubles(host), PATIENCE)
    assert eventually(lambda: not any(leaked(host, before)), PATIENCE), leaked(host, before)


def troubles(host: RelayHost) -> set[str]:
    """The namespaces that /readyz complains of."""
    checks = host.ready().get("checks", {})
    return {name for name, said in checks.items() if name.startswith("qdhcp-") and said != "ok"}


def leaked(host: RelayHost, before: list[int]) -> list[int]:
    """Descriptors more than before."""
    return [max(0, now - then) for now, then in zip(descriptors(host), before, strict=True)]
