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
_OTHERWISE = 20  # files that are no thread's own: logs, the message bus


def test_nothing_is_left(
    tenant: Tenant,
    subset_1: Subset,
    machine: Inspector,
    console: Served,
    cloud: Cloud,
) -> None:
    """Created and deleted in a row, they leave nothing on the HMC, in Cinder's array, in Neutron
    and in placement; and nova-compute has a connection for each of its threads at most."""
    before = _everything(tenant, console, cloud)
    took = [_once(tenant, subset_1, machine, f"many-{number}") for number in range(COUNT)]
    print("\nseconds until ACTIVE:", ", ".join(f"{seconds:.1f}" for seconds in took))
    assert _everything(tenant, console, cloud) == before
    assert _count(subset_1, "fd") <= _count(subset_1, "task") + _OTHERWISE


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


def _count(subset: Subset, what: str) -> int:
    """Of nova-compute's: ``fd``, its open files, or ``task``, its threads."""
    return len(list(Path(f"/proc/{subset.compute.pid}/{what}").iterdir()))
