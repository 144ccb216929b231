"""Guests that boot together, with the limits that nobody has changed: none lost, none mistaken.

FIRSTLIGHT_SOAK makes it 1,000 guests of 28 requests.
"""

import os
from collections import Counter
from contextlib import ExitStack
from uuid import uuid4

import pytest

from support.cloud.store_samples import interface, server
from support.guests.crowd import Told, crowd
from support.relay.agent_process import metadata_service
from support.relay.namespaces import Namespace
from support.relay.relay_host import RelayHost
from support.servers.databases import eventually

NETWORKS = 4 if os.environ.get("FIRSTLIGHT_SOAK") else 2
GUESTS = 1000 // 4 if os.environ.get("FIRSTLIGHT_SOAK") else 20  # of each network
REQUESTS = 28  # what cloud-init asks in one boot
CARD = "10.0.0.0/16"
HOSTNAME = "/latest/meta-data/hostname"
# Networks of different tenants have the same addresses.
ADDRESSES = [f"10.0.{n // 250}.{n % 250 + 3}" for n in range(GUESTS)]


@pytest.fixture(scope="module")
def tenants() -> list[str]:
    return [str(uuid4()) for _ in range(NETWORKS)]


@pytest.fixture(scope="module")
def host(tmp_path_factory, tenants):
    servers = [
        server(
            number * GUESTS + n,
            hostname=f"guest-{n}-of-{number}",
            interfaces=(interface(address, CARD, tenant, port=f"port-{number}-{n}"),),
        )
        for number, tenant in enumerate(tenants)
        for n, address in enumerate(ADDRESSES)
    ]
    with metadata_service(tmp_path_factory.mktemp("metadata"), *servers) as service:
        more = service.asked_by_relay()
        with RelayHost(user=0, more=more, agent_socket="", resolver="store") as host:
            yield host


@pytest.fixture(scope="module")
def guests(host, tenants) -> list[Namespace]:
    """A namespace for the guests of each network, with all their addresses."""
    return [_guests_of(host, tenant) for tenant in tenants]


def _guests_of(host, tenant: str) -> Namespace:
    guest = host.networks.isolated(f"qdhcp-{tenant}", ipv6=False)
    guest.run("".join(f"ip addr add {address}/32 dev eth0;" for address in ADDRESSES))
    # By one neighbour: the kernel's table of them is one for all namespaces, and holds 1024.
    Namespace(host.directory, f"qdhcp-{tenant}").run("ip route add 10.0.0.0/16 via 192.0.2.10")
    return guest


def told(guests: list[Namespace], addresses: list[str], **how: object) -> list[Told]:
    """What the guests of each network are told, all of them asking at the same time."""
    with ExitStack() as stack:
        asking = [stack.enter_context(crowd(each, addresses, HOSTNAME, **how)) for each in guests]
        return [each.answers() for each in asking]


def own(addresses: list[str], times: int) -> list[Told]:
    """What the guests of each network should have been told."""
    return [
        {
            address: Counter({f"200 guest-{n}-of-{number}.novalocal": times})
            for n, address in enumerate(addresses)
        }
        for number in range(NETWORKS)
    ]


def refused(host) -> list[str]:
    """What is counted of guests that asked too much."""
    return [line for line in host.metrics().splitlines() if "relay_refused_total{" in line]


def test_first_requests(host, guests):
    """All guests of all networks at the same moment, none of them ever seen before: each gets its
    own, although another network has the same addresses."""
    assert eventually(lambda: host.broker.log.read_text().count(":80: opened") == NETWORKS, 60)
    assert told(guests, ADDRESSES, times=1) == own(ADDRESSES, 1), host.logs()
    assert refused(host) == []


def test_whole_boots(host, guests):
    """All guests boot at the same time, with 28 requests one after the other: none is lost."""
    assert told(guests, ADDRESSES, times=REQUESTS) == own(ADDRESSES, REQUESTS), host.logs()
    assert refused(host) == []


def test_whole_boots_at_once(host, guests):
    """Guests that ask their 28 at the same moment, too: a bucket of tokens holds a boot."""
    some = ADDRESSES[:20]
    asked = told(guests, some, times=REQUESTS, at_once=True)
    assert asked == own(some, REQUESTS), host.logs()
    assert refused(host) == []
