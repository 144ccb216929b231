"""What a guest of one network sends costs a guest of another next to nothing.

The attacker has a core for itself, and the services (broker, proxy, metadata) have the other.
"""

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median, quantiles
from uuid import uuid4

import pytest

from support.cloud.store_samples import interface, server
from support.guests import attacker
from support.parts import absent
from support.relay.agent_process import metadata_service
from support.relay.namespaces import Namespace
from support.relay.relay_host import PATIENCE, RelayHost
from support.servers.databases import eventually

HOSTNAME = "/latest/meta-data/hostname"
ADDRESS = "192.0.2.10"


@pytest.fixture(scope="module")
def cores() -> tuple[int, int]:
    """One for the services, one for the attacker."""
    found = sorted(os.sched_getaffinity(0))
    if len(found) < 2:
        absent("two cores")
    return found[0], found[1]


@pytest.fixture(scope="module")
def tenants() -> tuple[str, str]:
    return str(uuid4()), str(uuid4())


@pytest.fixture(scope="module")
def host(
    tmp_path_factory: pytest.TempPathFactory, tenants: tuple[str, str], cores: tuple[int, int]
) -> Iterator[RelayHost]:
    servers = [
        server(n, hostname=f"guest-{n}", interfaces=(interface(ADDRESS, "192.0.2.0/24", tenant),))
        for n, tenant in enumerate(tenants)
    ]
    with metadata_service(tmp_path_factory.mktemp("metadata"), *servers) as service:
        more = service.asked_by_relay()
        with RelayHost(user=0, more=more, agent_socket="", resolver="store") as host:
            for process in (service.process, host.broker.process, host.proxy.process):
                _pin(process.pid, cores[0])
            yield host


def _pin(process: int, core: int) -> None:
    for thread in Path(f"/proc/{process}/task").iterdir():
        os.sched_setaffinity(int(thread.name), {core})


@pytest.fixture(scope="module")
def guests(host: RelayHost, tenants: tuple[str, str]) -> tuple[Namespace, Namespace]:
    """The attacker's namespace, and the other's."""
    attacking, asking = (
        host.networks.isolated(f"qdhcp-{tenant}", address=ADDRESS, ipv6=False) for tenant in tenants
    )
    for number, guest in enumerate((attacking, asking)):
        said = f"guest-{number}.novalocal"
        assert eventually(
            lambda guest=guest, said=said: (
                guest.curl(f"http://169.254.169.254{HOSTNAME}").stdout == said.encode()
            ),
            PATIENCE,
        ), host.logs()
    return attacking, asking


def measured(guest: Namespace, core: int) -> list[float]:
    """What a guest waits for each of its answers, in seconds."""
    asking = guest.popen(*attacker.command(HOSTNAME, core), stdout=subprocess.PIPE)
    said, _ = asking.communicate(timeout=300)
    assert asking.returncode == 0, "an answer was late, or none"
    return json.loads(said)


def summed_up(took: list[float]) -> tuple[float, float]:
    """Median and p99."""
    return median(took), quantiles(took, n=100)[98]


@contextmanager
def attacking(guest: Namespace, what: str, core: int) -> Iterator[None]:
    process = guest.popen(*attacker.command(what, core))
    try:
        yield
        assert process.poll() is None
    finally:
        process.kill()
        process.wait()


def compared(
    guests: tuple[Namespace, Namespace], cores: tuple[int, int], attack: str
) -> tuple[float, float]:
    """How many times what it is without the attack the median and the p99 are.

    It is measured without just before and just after, because other work on this machine comes
    and goes.
    """
    without = measured(guests[1], cores[0])
    with attacking(guests[0], attack, cores[1]):
        beside = summed_up(measured(guests[1], cores[0]))
    without += measured(guests[1], cores[0])
    usual = summed_up(without)
    print(f"{attack}: {beside} s; without: {usual}")
    return beside[0] / usual[0], beside[1] / usual[1]


@pytest.mark.parametrize("attack", attacker.ATTACKS)
def test_beside_an_attack(
    guests: tuple[Namespace, Namespace], cores: tuple[int, int], attack: str
) -> None:
    """The median is at most three times, the p99 at most ten times what it is without.

    Compared once more before it fails: other work may have come just then.
    """
    for _ in range(2):
        middle, worst = compared(guests, cores, attack)
        if middle <= 3 and worst <= 10:
            return
    assert (middle <= 3, worst <= 10) == (True, True), (middle, worst)
