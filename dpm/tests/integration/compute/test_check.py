"""What is checked against the machine when nova-compute starts."""

from dataclasses import replace

import pytest
from nova.exception import HypervisorUnavailable, InvalidConfiguration

from firstlight_dpm.compute.cpc_subset import HostShare, check
from firstlight_dpm.errors import Gone
from firstlight_dpm.hmc import Hmc
from firstlight_dpm.options import StoragePort


@pytest.fixture
def properties(served):
    """The machine's, put back afterwards."""
    properties = served.console.mock.hmc.cpcs.list()[0].properties
    before = dict(properties)
    yield properties
    properties.update(before)


def share(
    served, processors: int = 8, memory: int = 65536, ports: tuple[str, ...] = ()
) -> HostShare:
    """A share of the machine."""
    lines = ports or served.machine.storage_ports
    return HostShare(
        "sub1", processors, memory, tuple(StoragePort(*one.split(":")) for one in lines)
    )


def test_fits(hmc, served):
    """All of the machine may be given to one host."""
    check(hmc.find_cpc(), share(served, processors=20, memory=1048576))


@pytest.mark.parametrize("status", ["active", "service-required", "degraded", "exceptions"])
def test_up(hmc, served, properties, status: str):
    """A machine that wants service is up."""
    properties["status"] = status
    check(hmc.find_cpc(), share(served))


@pytest.mark.parametrize("status", ["no-power", "not-operating", "status-check"])
def test_down(hmc, served, properties, status: str):
    """A machine that is down is what Nova calls an unavailable hypervisor."""
    properties["status"] = status
    with pytest.raises(HypervisorUnavailable, match=status):
        check(hmc.find_cpc(), share(served))


def test_not_dpm(hmc, served, properties):
    """A machine in classic mode has no partitions to make."""
    properties["dpm-enabled"] = False
    with pytest.raises(InvalidConfiguration, match="is not in DPM mode"):
        check(hmc.find_cpc(), share(served))


def test_too_much(hmc, served):
    """More processors or memory than there are: both numbers are said."""
    with pytest.raises(InvalidConfiguration, match=r"max_processors is 21, .* has 20"):
        check(hmc.find_cpc(), share(served, processors=21))
    with pytest.raises(InvalidConfiguration, match=r"max_memory is 1048577, .* has 1048576"):
        check(hmc.find_cpc(), share(served, memory=1048577))


def test_no_such_adapter(hmc, served):
    """An adapter that is not there is found at the start, not by the first server."""
    line = "3f1c4a0e-7c2d-11e6-8b77-0242ac130004:0"
    with pytest.raises(InvalidConfiguration, match=f"{line}, but there is no such adapter"):
        check(hmc.find_cpc(), share(served, ports=(line,)))


@pytest.mark.parametrize(("name", "kind"), [("osa-1", "osd"), ("fcp-3", "not-configured")])
def test_no_storage_adapter(hmc, served, name: str, kind: str):
    """An adapter of another type is refused with its type."""
    line = f"{served.machine.id(name)}:0"
    with pytest.raises(InvalidConfiguration, match=f"of type {kind}; only fcp"):
        check(hmc.find_cpc(), share(served, ports=(line,)))


def test_another_machine_s_adapter(hmc, served):
    """An adapter of another machine of the same HMC is refused by its name."""
    machines = served.console.mock.hmc.cpcs
    other = machines.add({"name": "OTHER", "dpm-enabled": True})
    properties = {"name": "FCP-9", "type": "fcp", "adapter-family": "ficon", "port-count": 1}
    adapter = other.adapters.add(properties)
    adapter.ports.add({"element-id": "0", "index": 0, "name": "Port 0"})
    line = f"{adapter.oid}:0"
    try:
        with pytest.raises(InvalidConfiguration, match=f"{line}, but .* FCP-9 is not of machine Z"):
            check(hmc.find_cpc(), share(served, ports=(line,)))
    finally:
        machines.remove(other.oid)


def test_no_such_port(hmc, served):
    """A port that the adapter has not is refused."""
    line = f"{served.machine.id('fcp-1')}:3"
    with pytest.raises(InvalidConfiguration, match="has no port 3"):
        check(hmc.find_cpc(), share(served, ports=(line,)))


def test_unknown_machine(hmc):
    """A machine that the HMC does not manage is said with the option that names it."""
    other = Hmc(replace(hmc.login, cpc="3f1c4a0e-7c2d-11e6-8b77-0242ac130004"))
    with pytest.raises(Gone, match="cpc_object_id"):
        other.find_cpc()
    other.close()
