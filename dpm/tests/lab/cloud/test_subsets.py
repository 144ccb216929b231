"""Two hosts share one machine, with each other and with people, and keep to themselves."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from cloud.machine import Inspector
from cloud.subset import Subset
from cloud.tenant import FUTURE, Tenant
from cloud.walk import PATIENCE
from support.servers.databases import eventually

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
        if tenant.cloud.compute.find_server(server.id):
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
    servers: dict[str, Any], machine: Inspector, subset_2: Subset
) -> None:
    """Its nova-compute dies and comes back: all partitions are as they were."""
    before = _statuses(machine)
    starts = subset_2.starts()
    subset_2.compute.kill()
    subset_2.compute.start()
    subset_2.await_driver(starts + 1)
    assert _statuses(machine) == before
    assert before[FOREIGN] == "stopped"


def test_one_is_deleted(
    servers: dict[str, Any], machine: Inspector, tenant: Tenant, subset_2: Subset
) -> None:
    """With a server of one host goes its partition; those of others, and of nobody, stay."""
    server, before = servers[subset_2.name], _statuses(machine)
    tenant.remove(server)
    del before[f"OpenStack-{subset_2.name}-{server.id}"]
    assert _statuses(machine) == before


def _statuses(machine: Inspector) -> dict[str, str]:
    there = machine.partitions()
    return {name: partition.get_property("status") for name, partition in there.items()}
