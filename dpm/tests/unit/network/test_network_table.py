"""docs/dpm/support-matrix.md is true of the ML2 driver and the agent."""

from pathlib import Path

import pytest

from firstlight_dpm.hmc import Features, Hmc, features
from firstlight_dpm.mock import MACHINES, serve
from firstlight_dpm.network import reported
from firstlight_dpm.network.agent.mapping import BadMapping, resolve
from firstlight_dpm.network.ml2 import DpmMechanismDriver
from firstlight_dpm.options import NetworkPort
from served_hmc import login
from support_matrix import kinds

ROCE = "5c0ffee0-7c2d-11e6-8b77-0242ac130004"


def can(machine: str, directory: Path) -> Features:
    """What a machine of that generation says of itself."""
    with serve(machine, directory) as served:
        hmc = Hmc(login(served))
        found = features(hmc.find_cpc())
        hmc.close()
    return found


@pytest.mark.parametrize("machine", MACHINES)
def test_networks_are_bound_and_not(machine: str, tmp_path: Path) -> None:
    """As the network table says, on each machine."""
    agent = {"configurations": reported.configurations({}, nic_vlan=can(machine, tmp_path).vlan)}
    bound = set(DpmMechanismDriver().get_allowed_network_types(agent))
    told = {kind: row.now for row in kinds("Network") for kind in row.kinds}
    newer = () if machine == "z13" else ("complete from the z14 on",)
    assert bound == {kind for kind, now in told.items() if now in ("complete", *newer)}
    assert set(told.values()) <= {"complete", "complete from the z14 on", "missing"}


@pytest.mark.parametrize("machine", MACHINES)
def test_roce(machine: str, tmp_path: Path) -> None:
    """An adapter for RoCE is no network for partitions, which its line in the mappings is told."""
    with serve(machine, tmp_path) as served:
        served.console.mock.hmc.cpcs.list()[0].adapters.add(
            {"object-id": ROCE, "name": "roce-1", "type": "roce", "adapter-family": "roce"}
        )
        hmc = Hmc(login(served))
        cpc = hmc.find_cpc()
        line = NetworkPort("physnet1", ROCE, "0")
        with pytest.raises(BadMapping, match="roce-1 is of type roce"):
            resolve(cpc, [line], adapter_ports=features(cpc).adapter_ports)
        hmc.close()
