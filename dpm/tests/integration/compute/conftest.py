"""Nova comes first; then an HMC, and the host's share of its machine."""

import pytest

import nova_first  # noqa: F401  loaded first
from driver_alone import driver, instance  # noqa: F401  (fixtures)
from firstlight_dpm.hmc import Hmc, Login
from firstlight_dpm.mock import serve

MACHINES = ("z13", "z14", "z16", "z17")


@pytest.fixture(scope="session", params=MACHINES)
def served(request, tmp_path_factory):
    """An HMC with a machine of each generation."""
    with serve(request.param, tmp_path_factory.mktemp("hmc")) as served:
        yield served


@pytest.fixture
def hmc(served):
    """A session with it."""
    hmc = Hmc(
        Login(
            hosts=(served.host,),
            username=served.username,
            password=served.password,
            cpc=served.machine.cpc,
            port=served.port,
            verify=str(served.ca_file),
            status_timeout=2,
            operation_timeout=5,
        )
    )
    yield hmc
    hmc.close()
    served.console.faults.clear()
    leave_empty(served.console.mock.hmc.cpcs.list()[0])


def leave_empty(machine) -> None:
    """No partition is left for the next test."""
    for partition in list(machine.partitions.list()):
        machine.partitions.remove(partition.oid)
