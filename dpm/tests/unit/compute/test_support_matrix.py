"""docs/dpm/support-matrix.md is true of the driver that Nova loads."""

import re
from typing import NamedTuple

import pytest
from nova import exception
from nova.virt import driver

from firstlight_dpm.compute import boot
from firstlight_dpm.compute.driver import DPMDriver
from firstlight_dpm.hmc import Hmc, features
from firstlight_dpm.mock import MACHINES, serve
from served_hmc import login
from support_matrix import PAGE, Kinds, kinds, table


class Row(NamedTuple):
    """One feature of the first table."""

    feature: str
    then: str
    now: str
    methods: list[str]
    capabilities: list[str]


def read(cells: list[str]) -> Row:
    capabilities = re.findall(r"`(supports_\w+)`", cells[4])
    return Row(*cells[:3], re.findall(r"`(\w+)`", cells[3]), capabilities)


ROWS = [read(cells) for cells in table("| feature | then | now | in the driver | |")]
OURS = {
    name
    for name in vars(DPMDriver)
    if name in vars(driver.ComputeDriver) and not name.startswith("_") and name != "capabilities"
}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.feature)
def test_the_driver_has_what_the_row_says(row):
    """Complete and partial features have their methods, missing ones have Nova's that refuse."""
    assert row.now in ("complete", "partial", "missing")
    for method in row.methods:
        assert hasattr(driver.ComputeDriver, method), f"Nova has no {method}"
        assert (method in OURS) is (row.now != "missing"), method
    for capability in row.capabilities:
        assert DPMDriver.capabilities[capability] is (row.now != "missing")


def test_nothing_that_the_driver_has_is_left_out():
    """Every method it overrides is in the table."""
    told = {method for row in ROWS for method in row.methods}
    assert OURS - told == set()


def test_nothing_got_lost_since_nova_dpm():
    """What was complete is complete."""
    assert [row.feature for row in ROWS if row.then == "complete" and row.now != "complete"] == []


#: Kinds that are not Cinder's names of a driver, but what its driver says of a volume beside it.
SAID = {"encrypted": {"encrypted": True}, "limited": {"qos_specs": {"total_iops_sec": 100}}}


@pytest.mark.parametrize("row", kinds("Storage"), ids=lambda row: row.what)
def test_volumes_are_taken_and_refused(row: Kinds):
    """As the storage table says; limits are neither refused nor kept."""
    for kind in row.kinds:
        data = SAID.get(kind, {})
        connection = {"driver_volume_type": "fibre_channel" if data else kind, "data": data}
        if row.now == "complete" or kind == "limited":
            boot.check(connection)
        elif kind == "encrypted":
            with pytest.raises(exception.VolumeEncryptionNotSupported):
                boot.check(connection)
        else:
            with pytest.raises(exception.VolumeDriverNotFound, match=kind):
                boot.check(connection)


def test_the_tables_have_kinds():
    """What is not read is not compared."""
    assert {"fibre_channel", "iscsi"} <= {kind for row in kinds("Storage") for kind in row.kinds}
    assert {"flat", "vlan", "vxlan"} <= {kind for row in kinds("Network") for kind in row.kinds}


@pytest.mark.parametrize("machine", MACHINES)
def test_the_machines_table(machine, tmp_path):
    """It says of each machine what the machine says of itself."""
    (header,) = re.findall(r"^\| \| (z13.*) \|$", PAGE, re.MULTILINE)
    columns = [names.strip().split(", ") for names in header.split("|")]
    column = 1 + next(number for number, names in enumerate(columns) if machine in names)
    said = {cells[0]: cells[column] for cells in table(f"| | {header} |")}
    with serve(machine, tmp_path) as served:
        hmc = Hmc(login(served))
        can = features(hmc.find_cpc())
        hmc.close()
    assert said == {
        "server's volumes": "storage groups" if can.storage_groups else "HBAs",
        "server's NICs": "adapter ports" if can.adapter_ports else "virtual switches",
        "NIC's MAC address": "by the machine" if can.mac_address else "by the guest",
        "NIC's VLAN": "yes" if can.vlan else "no",
    }
