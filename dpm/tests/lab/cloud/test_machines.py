"""A host on a machine of another generation, with an HMC of its own, in the same cloud.

The z13 has storage ports (HBAs) and a command line; from the z14 on there are storage groups and
MAC addresses; from the z17 on no virtual switches. All of them when FIRSTLIGHT_SOAK is set.
"""

import os
from collections.abc import Iterator

import pytest
from zhmcclient import Partition

from cloud.machine import inspector, resources
from cloud.subset import Subset, running
from cloud.tenant import FUTURE, Tenant
from cloud.walk import PATIENCE
from cloud.whole import Cloud
from firstlight_dpm.mock import Served, serve
from support.servers.databases import eventually

pytestmark = pytest.mark.filterwarnings(FUTURE)
GENERATIONS = ("z13", "z14", "z16", "z17") if os.environ.get("FIRSTLIGHT_SOAK") else ("z13",)


@pytest.fixture(params=GENERATIONS)
def elsewhere(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    """Its HMC."""
    with serve(request.param, tmp_path_factory.mktemp("hmc")) as served:
        yield served


@pytest.fixture
def subset(cloud: Cloud, elsewhere: Served, tenant: Tenant) -> Iterator[Subset]:
    """A host there, whose services are up."""
    name = f"on-{elsewhere.machine.name}"
    with running(cloud, name, elsewhere, elsewhere.machine.network_ports[0]) as subset:
        assert eventually(lambda: tenant.sees(name), PATIENCE), subset.compute.said()
        yield subset


def test_a_server_there(cloud: Cloud, elsewhere: Served, subset: Subset, tenant: Tenant) -> None:
    """It boots from the volume that Cinder has zoned to its own ports, its port is ACTIVE, and
    nothing is left of it afterwards."""
    before = resources(elsewhere)
    server = tenant.server(f"there-{subset.name}", subset.name)
    with inspector(elsewhere) as machine:
        partition = machine.partition(subset.name, server.id)
        assert partition is not None
        assert partition.get_property("status") == "active"
        assert _boots_from(partition) == (
            "storage-volume" if elsewhere.machine.storage_groups else "storage-adapter"
        )
    (connector,) = (one for one in cloud.volumes.zoned().values() if one["host"] == server.id)
    assert len(connector["wwpns"]) >= len(elsewhere.machine.storage_ports)
    assert list(tenant.ports(server).values()) == ["ACTIVE"]
    tenant.remove(server)
    assert resources(elsewhere) == before


def _boots_from(partition: Partition) -> str:
    return str(partition.get_property("boot-device"))
