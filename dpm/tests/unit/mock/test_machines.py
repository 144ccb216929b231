"""Each generation says and refuses what it should."""

import re
from pathlib import Path

import pytest
from oslo_config import cfg

from firstlight_dpm import options
from firstlight_dpm.mock import MACHINES, Served
from firstlight_dpm.mock.command import announcement
from firstlight_dpm.mock.refusal import Refusal


@pytest.mark.parametrize("machine", MACHINES)
def test_ids_are_the_same_each_time(machine, asked):
    """A configuration file fits the next run."""
    first, second = (set(asked(machine).console.mock.hmc.all_resources) for _ in range(2))
    assert first == second


def test_two_machines_share_no_id(asked):
    """What was meant for one is not found on the other."""
    first, second = (
        {uri for uri in asked(name).console.mock.hmc.all_resources if uri.count("-") == 4}
        for name in ("z13", "z16")
    )
    assert first
    assert not first & second


@pytest.mark.parametrize("machine", MACHINES)
def test_the_announcement_is_a_configuration(machine, asked, tmp_path):
    """What hmc-mock prints, both services read, and it names ports that exist."""
    console = asked(machine).console
    served = Served("127.0.0.1", 6794, Path("/tmp/hmc.pem"), "u", "p", console)
    nova, neutron = re.split(r"\n\n# into neutron_dpm_agent.conf", announcement(served))
    conf = cfg.ConfigOpts()
    options.register_compute(conf)
    options.register_network(conf)
    files = {"nova.conf": nova, "neutron.conf": neutron}
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    conf([f"--config-file={tmp_path / name}" for name in files])
    assert conf.dpm.cpc_object_id == console.machine.cpc
    for port in conf.dpm.physical_storage_adapter_mappings:
        assert console.get(f"/api/adapters/{port.adapter}/storage-ports/{port.port}")
    for port in conf.dpm.physical_network_adapter_mappings:
        assert console.get(f"/api/adapters/{port.adapter}/network-ports/{port.port}")


@pytest.mark.parametrize("machine", MACHINES)
def test_what_it_has(machine, asked):
    """HBAs or storage groups; virtual switches or ports that NICs sit on."""
    hmc = asked(machine)
    partition = hmc.partition()
    adapter = hmc.console.machine.id("fcp-1")
    hba = {"name": "h", "adapter-port-uri": f"/api/adapters/{adapter}/storage-ports/0"}
    group = {"name": "g", "cpc-uri": f"/api/cpcs/{hmc.console.machine.cpc}", "type": "fcp"}
    assert answers(hmc, f"{partition}/hbas", hba) is (machine == "z13")
    assert answers(hmc, "/api/storage-groups", group) is (machine != "z13")
    switches = hmc.ask("GET", f"/api/cpcs/{hmc.console.machine.cpc}/virtual-switches")[1]
    assert bool(switches["virtual-switches"]) is (machine != "z17")


def answers(hmc, uri: str, body: dict) -> bool:
    try:
        return hmc.ask("POST", uri, body)[0] == 200
    except Refusal:
        return False


@pytest.mark.parametrize(("machine", "known"), [("z13", False), ("z14", False), ("z16", True)])
def test_what_older_hmcs_do_not_know(machine, known, asked):
    """Properties added to a list, and the list of features, came with HMC 2.16."""
    hmc = asked(machine)
    cpc = f"/api/cpcs/{hmc.console.machine.cpc}"
    for uri in (
        f"{cpc}/partitions?additional-properties=description",
        f"{cpc}/operations/list-features",
    ):
        try:
            assert hmc.ask("GET", uri)[0] == 200
            assert known
        except Refusal:
            assert not known
