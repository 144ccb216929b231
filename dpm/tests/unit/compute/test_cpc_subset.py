"""A host's share of a machine."""

import json

import pytest
from nova import exception
from nova.objects import fields
from oslo_config import cfg

from firstlight_dpm import options
from firstlight_dpm.compute.cpc_subset import HostShare, inventory, resources, version
from firstlight_dpm.options import StoragePort

PORT = "6511af2e-7c2d-11e6-8b77-0242ac130004:0"
SHARE = HostShare("subset1", 8, 65536, (StoragePort(*PORT.split(":")),))


class Machine:
    """A CPC that has been read."""

    name = "CPC1"

    def get_property(self, name: str) -> str:
        """Its level."""
        return {"se-version": "2.13.1"}[name]


def conf(**dpm: object) -> cfg.ConfigOpts:
    """Options with everything that is needed, unless said otherwise."""
    made = cfg.ConfigOpts()
    options.register_compute(made)
    made([])
    given = {
        "max_processors": 8,
        "max_memory": 65536,
        "physical_storage_adapter_mappings": [PORT],
        **dpm,
    }
    for name, value in given.items():
        made.set_override(name, value, "dpm")
    return made


def test_share():
    """What the operator said."""
    assert HostShare.of(conf(), "subset1") == SHARE


@pytest.mark.parametrize(
    "name", ["max_processors", "max_memory", "physical_storage_adapter_mappings"]
)
def test_missing(name: str):
    """What is missing is named."""
    with pytest.raises(exception.InvalidConfiguration, match=f"set {name} in \\[dpm\\]"):
        HostShare.of(conf(**{name: None}), "subset1")


def test_twice():
    """A storage port that is named twice is refused."""
    with pytest.raises(exception.InvalidConfiguration, match=f"has {PORT} twice"):
        HostShare.of(conf(physical_storage_adapter_mappings=[PORT, PORT.upper()]), "subset1")


def test_max_instances():
    """An option that limits nothing is refused with the one that does."""
    with pytest.raises(exception.InvalidConfiguration, match="max_instances_per_host"):
        HostShare.of(conf(max_instances=10), "subset1")


@pytest.mark.parametrize("host", ["a-host-of-18-chars", "has blank", ""])
def test_host(host: str):
    """A host that names on the HMC cannot carry is refused, with what to set."""
    with pytest.raises(exception.InvalidConfiguration, match=r"\[DEFAULT\] host"):
        HostShare.of(conf(), host)


@pytest.mark.parametrize(
    ("level", "number"), [("2.13.1", 2013001), ("2.16.0", 2016000), ("2.15", 2015000)]
)
def test_version(level: str, number: int):
    """The machine's level is a number that grows with it."""
    assert version(level) == number


def test_resources():
    """All that Nova shows: processors are shared, so the most counts; memory adds up."""
    used = [
        {"ifl-processors": 2, "initial-memory": 4096},
        {"ifl-processors": 5, "initial-memory": 1024},
    ]
    shown = resources(Machine(), SHARE, used)
    assert json.loads(shown.pop("cpu_info")) == {
        "arch": "s390x",
        "model": "host",
        "vendor": "IBM",
        "topology": {"sockets": 0, "cores": 8, "threads": 1},
        "features": [],
    }
    assert shown == {
        "vcpus": 8,
        "vcpus_used": 5,
        "memory_mb": 65536,
        "memory_mb_used": 5120,
        "local_gb": 0,
        "local_gb_used": 0,
        "disk_available_least": 0,
        "hypervisor_type": "PRSM",
        "hypervisor_version": 2013001,
        "hypervisor_hostname": "subset1",
        "cpc_name": "CPC1",
        "numa_topology": None,
        "stats": {"uptime": None},
        "supported_instances": [("s390x", fields.HVType.PRSM, fields.VMMode.HVM)],
    }


def test_nothing_used():
    """A host without partitions uses nothing."""
    shown = resources(Machine(), SHARE, [])
    assert (shown["vcpus_used"], shown["memory_mb_used"]) == (0, 0)


def test_inventory():
    """Memory is never given twice; processors as often as Nova's ratio says."""
    offered = inventory(SHARE, 4.0)
    assert offered["MEMORY_MB"]["allocation_ratio"] == 1.0
    assert offered["VCPU"]["allocation_ratio"] == 4.0
    assert {one["reserved"] for one in offered.values()} == {0}
    assert offered["VCPU"]["max_unit"] == 8
    assert "DISK_GB" not in offered
