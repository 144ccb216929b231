"""One cloud for all that is here: the page docs/dpm/getting-started.md has been walked on it."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cloud import page, whole
from cloud.client import Client
from cloud.machine import Inspector, inspector
from cloud.subset import Subset, running
from cloud.tenant import Tenant
from cloud.walk import Step, walk
from firstlight_dpm.mock import Served, serve
from support.parts import absent

MACHINE = os.environ.get("FIRSTLIGHT_DPM_MACHINE", "z16")


@pytest.fixture(scope="session")
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The HMC of the machine that both subsets are on."""
    with serve(MACHINE, tmp_path_factory.mktemp("hmc")) as served:
        yield served


@pytest.fixture(scope="session")
def machine(console: Served) -> Iterator[Inspector]:
    """What is on that machine."""
    with inspector(console) as looking:
        yield looking


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[whole.Cloud]:
    """The control plane."""
    for program in ("nova-compute", "cinder-volume", "placement-manage", "neutron-dpm-agent"):
        if not (Path(sys.prefix) / "bin" / program).exists():
            absent(f"no {program} in {sys.prefix}; use the Python that tools/dpm-env names")
    with whole.running(tmp_path_factory.mktemp("cloud")) as cloud:
        yield cloud


@pytest.fixture(scope="session")
def client(cloud: whole.Cloud) -> Client:
    """The administrator's shell, in a directory with the image."""
    client = Client(cloud.ground)
    client.write("dpm_image.raw", b"an image for s390x\n" * 5000)
    return client


@pytest.fixture(scope="session")
def subset_1(cloud: whole.Cloud, console: Served) -> Iterator[Subset]:
    """The page's host."""
    with running(cloud, "subset_1", console, console.machine.network_ports[0]) as subset:
        yield subset


@pytest.fixture(scope="session")
def subset_2(cloud: whole.Cloud, console: Served, walked: list[Step]) -> Iterator[Subset]:
    """Another share of the same machine, cabled to the same network by another port."""
    with running(cloud, "subset_2", console, console.machine.network_ports[1]) as subset:
        yield subset


@pytest.fixture(scope="session")
def walked(client: Client, subset_1: Subset) -> list[Step]:
    """Every command of the page, typed in its order."""
    return walk(client, page.commands(page.PAGE.read_text()))


@pytest.fixture(scope="session")
def tenant(cloud: whole.Cloud, walked: list[Step]) -> Tenant:
    """Has the page's image and network."""
    return Tenant(cloud.ground, "dpm_image", "provider")
