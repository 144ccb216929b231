"""Servers come and go, one after the other: 3 of them, or 50 when FIRSTLIGHT_SOAK is set."""

import os
import time
from pathlib import Path
from typing import Any

import pytest

from cloud.machine import Inspector, resources
from cloud.subset import Subset
from cloud.tenant import FUTURE, Tenant
from cloud.whole import Cloud
from firstlight_dpm.mock import Served

pytestmark = pytest.mark.filterwarnings(FUTURE)
COUNT = 50 if os.environ.get("FIRSTLIGHT_SOAK") else 3
_THREADS = 15  # of nova-compute's pools, which come when they are needed, each with a connection


def test_nothing_is_left(
    tenant: Tenant,
    subset_1: Subset,
    machine: Inspector,
    console: Served,
    cloud: Cloud,
) -> None:
    """Created and deleted in a row, they leave nothing on the HMC, in Cinder's array, in Neutron
    and in placement, and nova-compute keeps no file open for them."""
    before = _everything(tenant, console, cloud)
    files = _open_files(subset_1)
    took = [_once(tenant, subset_1, machine, f"many-{number}") for number in range(COUNT)]
    print("\nseconds until ACTIVE:", ", ".join(f"{seconds:.1f}" for seconds in took))
    assert _everything(tenant, console, cloud) == before
    assert _open_files(subset_1) <= files + _THREADS + COUNT // 2


def _once(tenant: Tenant, subset: Subset, machine: Inspector, name: str) -> float:
    """One server, from the request to ACTIVE and away again; the seconds until it was ACTIVE."""
    volume = tenant.volume(name)
    began = time.monotonic()
    server = tenant.runs(tenant.asked_for(name, volume, subset.name), "ACTIVE")
    took = time.monotonic() - began
    partition = machine.partition(subset.name, server.id)
    assert partition is not None
    assert partition.get_property("status") == "active"
    tenant.remove(server)
    return took


def _everything(tenant: Tenant, console: Served, cloud: Cloud) -> dict[str, Any]:
    return {
        "on the HMC": resources(console),
        "zoned": set(cloud.volumes.zoned()),
        "volumes": {one.id for one in tenant.cloud.block_storage.volumes()},
        "ports": {one.id for one in tenant.cloud.network.ports()},
        "allocations": tenant.allocations(),
    }


def _open_files(subset: Subset) -> int:
    return len(list(Path(f"/proc/{subset.compute.pid}/fd").iterdir()))
