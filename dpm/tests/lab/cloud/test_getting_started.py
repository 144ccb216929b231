"""docs/dpm/getting-started.md on real services: Keystone, Nova, placement, Neutron, Glance, Cinder.

The HMC is the served mock, and Cinder's disk array is files.
"""

import pytest

from cloud import page
from cloud.machine import Inspector
from cloud.tenant import FUTURE, Tenant
from cloud.walk import Step
from cloud.whole import Cloud
from firstlight_dpm.mock import Served

pytestmark = pytest.mark.filterwarnings(FUTURE)
COMMANDS = page.commands(page.PAGE.read_text())


@pytest.mark.parametrize("number", range(len(COMMANDS)), ids=[shown.line for shown in COMMANDS])
def test_it_prints_what_the_page_shows(walked: list[Step], number: int) -> None:
    """Each command, typed in its order, prints the table that stands below it."""
    assert number < len(walked), f"not typed, because of {walked[-1].shown.line}"
    step = walked[number]
    assert step.missing() == [], step.printed


def test_the_agent_has_resolved_its_mapping(walked: list[Step], console: Served) -> None:
    """What the agent shows is an object of the machine's, not the adapter it was told."""
    (step,) = (step for step in walked if "agent show" in step.shown.line)
    machine = console.machine
    told = machine.network_ports[0].partition(":")[0]
    assert (told in step.printed) is machine.adapter_ports


def test_a_started_partition(walked: list[Step], tenant: Tenant, machine: Inspector) -> None:
    """The server is a partition that runs, of the flavor's size, in the share of its host."""
    server = tenant.cloud.compute.find_server("dpm_server1", details=True)
    partition = machine.partition("subset_1", server.id)
    assert partition is not None
    assert partition.get_property("status") == "active"
    assert partition.get_property("ifl-processors") == 1
    assert partition.get_property("initial-memory") == 2048
    assert partition.get_property("description").startswith("OpenStack CPCSubset=subset_1")


def test_the_volume_has_the_image_and_only_its_ports(
    walked: list[Step], cloud: Cloud, tenant: Tenant
) -> None:
    """Cinder has put the image on the volume, and zoned it to the partition's own ports."""
    volume = tenant.cloud.block_storage.find_volume("dpm_volume1", details=True)
    with (cloud.volumes.array / volume.id).open("rb") as file:
        assert file.read(19) == b"an image for s390x\n"
    connector = cloud.volumes.zoned()[volume.id]
    assert connector["host"] == volume.attachments[0]["server_id"]
    assert connector["wwpns"]
