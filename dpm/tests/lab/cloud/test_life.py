"""What an owner does with a server, and what becomes of its partition."""

from contextlib import suppress
from typing import Any

import pytest
from zhmcclient import CeasedExistence, Partition

from cloud.machine import Inspector, asked
from cloud.tenant import FUTURE, Tenant
from cloud.walk import PATIENCE
from firstlight_dpm.mock import Served
from support.servers.databases import eventually

pytestmark = pytest.mark.filterwarnings(FUTURE)


@pytest.fixture
def server(tenant: Tenant) -> Any:
    """The page's, which runs; each test leaves it so."""
    return tenant.runs(tenant.cloud.compute.find_server("dpm_server1", details=True), "ACTIVE")


@pytest.fixture
def partition(server: Any, machine: Inspector) -> Partition:
    """The server's."""
    partition = machine.partition("subset_1", server.id)
    assert partition is not None
    return partition


def status_of(partition: Partition) -> str:
    partition.pull_full_properties()
    return str(partition.get_property("status"))


def test_stop_and_start(tenant: Tenant, server: Any, partition: Partition) -> None:
    """A server that is stopped is a partition that is stopped; started, it runs again."""
    tenant.cloud.compute.stop_server(server)
    tenant.runs(server, "SHUTOFF")
    assert status_of(partition) == "stopped"
    tenant.cloud.compute.start_server(server)
    tenant.runs(server, "ACTIVE")
    assert status_of(partition) == "active"


@pytest.mark.parametrize("kind", ["SOFT", "HARD"])
def test_reboot(
    tenant: Tenant, server: Any, partition: Partition, console: Served, kind: str
) -> None:
    """Either reboot stops the partition and starts it: there is no softer one."""
    before = asked(console, partition)
    tenant.cloud.compute.reboot_server(server, kind)
    assert eventually(lambda: asked(console, partition) == [*before, "stop", "start"], PATIENCE)
    tenant.runs(server, "ACTIVE")
    assert status_of(partition) == "active"


def test_a_port_comes_and_goes(tenant: Tenant, server: Any, partition: Partition) -> None:
    """A port that is added has a NIC in the running partition and becomes ACTIVE; removed, it has
    none and is DOWN."""
    network = tenant.cloud.network.find_network("provider")
    port = tenant.cloud.network.create_port(network_id=network.id)
    try:
        tenant.cloud.compute.create_server_interface(server, port_id=port.id)
        assert eventually(lambda: tenant.ports(server).get(port.id) == "ACTIVE", PATIENCE)
        assert f"OpenStack_Port_{port.id}" in nics(partition)
        tenant.cloud.compute.delete_server_interface(port.id, server=server)
        assert eventually(lambda: f"OpenStack_Port_{port.id}" not in nics(partition), PATIENCE)
        assert eventually(lambda: status_of_port(tenant, port.id) == "DOWN", PATIENCE)
        assert list(tenant.ports(server).values()) == ["ACTIVE"]
        assert status_of(partition) == "active"
    finally:
        tenant.cloud.network.delete_port(port)


def nics(partition: Partition) -> list[str]:
    partition.pull_full_properties()
    names = []
    for nic in partition.nics.list():
        with suppress(CeasedExistence):  # meanwhile
            names.append(nic.name)
    return names


def status_of_port(tenant: Tenant, port: str) -> str:
    return str(tenant.cloud.network.get_port(port).status)
