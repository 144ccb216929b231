"""Two hosts share one machine, with each other and with people, and keep to themselves."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from cloud.machine import Inspector
from cloud.subset import Subset
from cloud.tenant import FUTURE, Tenant
from cloud.walk import PATIENCE
from servers import eventually

pytestmark = pytest.mark.filterwarnings(FUTURE)
FOREIGN = "linux-of-somebody"


@pytest.fixture(scope="module")
def servers(
    tenant: Tenant, subset_1: Subset, subset_2: Subset, machine: Inspector
) -> Iterator[dict[str, Any]]:
    """One on each host, by the host's name, beside a partition that is nobody's."""
    foreign = machine.by_hand(FOREIGN)
    asked = {}
    for subset in (subset_1, subset_2):
        assert eventually(lambda subset=subset: tenant.sees(subset.name), PATIENCE)
        name = f"on-{subset.name}"
        asked[subset.name] = tenant.asked_for(name, tenant.volume(name), subset.name)
    servers = {host: tenant.runs(server, "ACTIVE") for host, server in asked.items()}
    yield servers
    for server in servers.values():
        tenant.remove(server)
    foreign.delete()


def test_each_has_its_own_partition(servers: dict[str, Any], machine: Inspector) -> None:
    """A server's partition carries the name of its host, and of no other."""
    for host, server in servers.items():
        partition = machine.partition(host, server.id)
        assert partition is not None
        assert partition.get_property("status") == "active"
    mine = {f"OpenStack-{host}-{server.id}" for host, server in servers.items()}
    ids = [server.id for server in servers.values()]
    assert {name for name in machine.partitions() if name[-36:] in ids} == mine


def test_each_agent_has_its_own_nics(servers: dict[str, Any], tenant: Tenant) -> None:
    """A port's agent is its host's, which counts it and no other's."""
    for host, server in servers.items():
        assert list(tenant.ports(server).values()) == ["ACTIVE"]
        assert eventually(partial(_counts_its_own, tenant, host), PATIENCE)


def _counts_its_own(tenant: Tenant, host: str) -> bool:
    ports = tenant.cloud.network.ports(binding_host_id=host)
    return tenant.devices(host) == sum(one.device_owner == "compute:nova" for one in ports)


def test_each_pays_for_its_own(servers: dict[str, Any], tenant: Tenant) -> None:
    """A host's memory is used by its own servers: another's, and other people's partitions, do
    not count."""
    for host in servers:
        there = [
            one for one in tenant.cloud.compute.servers(details=True) if one.compute_host == host
        ]
        wanted = sum(one.flavor["ram"] for one in there)
        assert tenant.used(host)["MEMORY_MB"] == wanted


def test_a_host_that_starts_again_touches_nobody(
    servers: dict[str, Any], machine: Inspector, tenant: Tenant, subset_2: Subset
) -> None:
    """Its services die and come back: all partitions run on, all ports stay ACTIVE."""
    before = {name: one.get_property("status") for name, one in machine.partitions().items()}
    since, starts = tenant.agent_since(subset_2.name), subset_2.starts()
    subset_2.kill()
    subset_2.start()
    assert eventually(lambda: subset_2.starts() > starts, PATIENCE)
    assert eventually(lambda: tenant.agent_since(subset_2.name) != since, PATIENCE)
    now = {name: one.get_property("status") for name, one in machine.partitions().items()}
    assert now == before
    assert now[FOREIGN] == "stopped"
    for server in servers.values():
        assert list(tenant.ports(server).values()) == ["ACTIVE"]


def test_one_is_deleted(
    servers: dict[str, Any], machine: Inspector, tenant: Tenant, subset_2: Subset
) -> None:
    """With a server of one host goes its partition; those of others, and of nobody, stay."""
    server = tenant.server("short", subset_2.name)
    there = set(machine.partitions())
    tenant.remove(server)
    assert there - set(machine.partitions()) == {f"OpenStack-{subset_2.name}-{server.id}"}
