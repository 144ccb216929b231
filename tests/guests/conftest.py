"""A guest in a namespace, and the cloud it asks, for each way in."""

from collections.abc import Iterator

import pytest

from guests.booting import SUITES, CloudInit, cloud_init
from guests.cloud import WAYS, Cloud, cloud
from guests.net import network


@pytest.fixture(scope="session", params=WAYS)
def served(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Cloud]:
    """A cloud that serves the guest."""
    with network() as net, cloud(net, request.param, tmp_path_factory.mktemp("cloud")) as running:
        yield running


@pytest.fixture(scope="session", params=SUITES)
def debian(request: pytest.FixtureRequest) -> CloudInit:
    """cloud-init of a Debian suite."""
    return cloud_init(request.param)
