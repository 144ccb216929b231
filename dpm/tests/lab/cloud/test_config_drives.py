"""A config drive on a volume, by real Glance and Cinder: the server reaches it, and nobody else."""

import json
from pathlib import Path
from typing import Any

import pytest
from firstlight_guest.dpm.nics import cards
from openstack.exceptions import ResourceFailure

from cloud.machine import Inspector, resources
from cloud.subset import Subset
from cloud.tenant import FUTURE, Tenant
from cloud.walk import PATIENCE
from cloud.whole import Cloud
from firstlight_dpm.mock import Served
from support.guests import drives
from support.servers.databases import eventually

pytestmark = pytest.mark.filterwarnings(FUTURE)


@pytest.fixture(autouse=True)
def _nothing_is_left(tenant: Tenant, cloud: Cloud, console: Served) -> Any:
    """Each test leaves everything as it was."""
    before = everything(tenant, cloud, console)
    yield
    assert eventually(lambda: everything(tenant, cloud, console) == before, PATIENCE)


def test_a_server_reaches_its_drive(
    tenant: Tenant, subset_1: Subset, cloud: Cloud, machine: Inspector, tmp_path: Path
) -> None:
    """It is a volume of the service's project, zoned to the server's own ports, with its NICs."""
    volume = tenant.volume("driven")
    server = tenant.asked_for("driven", volume, subset_1.name, config_drive=True)
    server = tenant.runs(server, "ACTIVE")
    (drive,) = volumes(tenant, server)
    assert drive.project_id == tenant.cloud.identity.find_project("service").id
    assert [one.id for one in server.attached_volumes] == [volume.id]

    zoned = cloud.volumes.zoned()
    assert zoned[drive.id]["wwpns"] == zoned[volume.id]["wwpns"]
    image = cloud.volumes.array / drive.id
    assert drives.label(image) == "config-2"
    told = json.loads(meta_data(image, tmp_path))
    assert told["uuid"] == server.id
    partition = machine.partition(subset_1.name, server.id)
    assert partition is not None
    nics = partition.nics.list(full_properties=True)
    there = {nic.get_property("device-number").lower() for nic in nics}
    assert {card.devno for card in cards(told["dpm_nics"])} == there
    assert images(tenant) == []
    tenant.remove(server)


@pytest.mark.parametrize("work", ["making", "zoning"])
def test_the_array_is_out_of_order(
    tenant: Tenant, subset_1: Subset, cloud: Cloud, work: str
) -> None:
    """A drive that the array does not make, or map, is no server; nothing of it is left at once,
    and the log says why."""
    volume = tenant.volume(work)
    with cloud.volumes.out_of_order(work):
        server = tenant.asked_for(work, volume, subset_1.name, config_drive=True)
        with pytest.raises(ResourceFailure):
            tenant.runs(server, "ACTIVE")
        assert eventually(lambda: volumes(tenant, server) == [], PATIENCE)
    said = subset_1.compute.log.read_text()
    doing = {"making": "making volume {} of it", "zoning": "attaching volume {}"}[work]
    assert doing.format(f"OpenStack-{subset_1.name}-{server.id}-config-2") in said
    tenant.remove(server)


def test_a_user_who_may_not(cloud: Cloud, console: Served) -> None:
    """nova-compute does not start if [cinder]'s user could write no drive, and says so."""
    subset = Subset(cloud, "subset_3", console, console.machine.network_ports[0])
    with subset.conf.open("a") as file:
        file.write("\n[cinder]\nusername = vendordata\n")
    subset.compute.start()
    try:
        assert eventually(lambda: not subset.compute.runs(), PATIENCE)
    finally:
        subset.kill()
    said = subset.compute.log.read_text()
    assert "see that [cinder] names a user who has the role member" in said


def meta_data(image: Path, directory: Path) -> bytes:
    """Of the newest version of the documents."""
    return drives.rock_ridge(image, directory)["openstack/latest/meta_data.json"]


def volumes(tenant: Tenant, server: Any) -> list[Any]:
    """The server's config drives, whoever they belong to."""
    every = tenant.cloud.block_storage.volumes(all_projects=True)
    return [one for one in every if one.name.endswith(f"{server.id}-config-2")]


def images(tenant: Tenant) -> list[str]:
    """The names of images that are config drives."""
    every = (image.name for image in tenant.cloud.image.images())
    return [name for name in every if name.endswith("-config-2")]


def everything(tenant: Tenant, cloud: Cloud, console: Served) -> tuple[Any, ...]:
    """What a server must not leave behind."""
    every = tenant.cloud.block_storage.volumes(all_projects=True)
    return (
        {one.id for one in every},
        set(cloud.volumes.zoned()),
        images(tenant),
        resources(console),
    )
