"""Columns that hold versioned objects, as Nova 34 and its ancestors wrote them."""

import json
from pathlib import Path
from typing import Any

import pytest

from firstlight.instance import Disk, Nic, Share
from firstlight.sources.nova.records import versioned

ROWS = json.loads((Path(__file__).parents[1] / "nova34_rows.json").read_text())


def extra(kind: str) -> dict[str, Any]:
    """The recorded row of instance_extra."""
    [row] = ROWS[kind]["instance_extra"]
    return row


def topology(*cells: dict[str, Any], version: str = "1.6") -> str:
    """A numa_topology column."""
    made = [
        {"nova_object.name": "InstanceNUMACell", "nova_object.version": version}
        | {"nova_object.data": cell}
        for cell in cells
    ]
    return json.dumps(
        {"nova_object.name": "InstanceNUMATopology", "nova_object.data": {"cells": made}}
    )


class TestFlavorName:
    """``instance_extra.flavor``."""

    def test_recorded(self):
        """The name of the current flavor."""
        assert versioned.flavor_name(extra("full")["flavor"]) == "m1.small"

    @pytest.mark.parametrize("column", [None, ""])
    def test_nothing(self, column):
        """A column without a flavor has no name."""
        assert versioned.flavor_name(column) is None


class TestKeypairRecord:
    """``instance_extra.keypairs``."""

    def test_recorded(self):
        """The record as Nova keeps it."""
        record = versioned.keypair_record(extra("full")["keypairs"])
        assert record is not None
        assert (record["name"], record["type"]) == ("mykey", "ssh")
        assert record["public_key"].startswith("ssh-rsa ")

    def test_deleted(self):
        """An empty list: the user deleted it."""
        assert versioned.keypair_record(extra("deleted-keypair")["keypairs"]) is None

    def test_never_recorded(self):
        """NULL: from before instances kept their keypairs."""
        assert versioned.keypair_record(None) is None


class TestDedicatedCpus:
    """``instance_extra.numa_topology``."""

    def test_recorded(self):
        """Sorted over all cells, shared processors left out."""
        recorded = extra("pinned-processors")["numa_topology"]
        assert versioned.dedicated_cpus(recorded) == (0, 2, 3, 5)

    def test_nothing(self):
        """No topology, no pinning."""
        assert versioned.dedicated_cpus(None) == ()

    def test_dedicated_before_victoria(self):
        """A dedicated cell of version 1.4 has its pinned processors in cpuset."""
        cell = {"cpuset": [1, 0], "cpu_policy": "dedicated"}
        assert versioned.dedicated_cpus(topology(cell, version="1.4")) == (0, 1)

    def test_shared_before_victoria(self):
        """A shared one has none."""
        cells = ({"cpuset": [1], "cpu_policy": "shared"}, {"cpuset": [0], "cpu_policy": None})
        assert versioned.dedicated_cpus(topology(*cells, version="1.4")) == ()

    def test_migrated_but_stamped_old(self):
        """Data of 1.6 under an older version's stamp is read as it is (Launchpad 2097360)."""
        cell = {"cpuset": [], "pcpuset": [3], "cpu_policy": "dedicated"}
        assert versioned.dedicated_cpus(topology(cell, version="1.4")) == (3,)

    def test_version_ten_is_newer_than_five(self):
        """Versions are numbers, not text."""
        cell = {"cpuset": [1], "pcpuset": [], "cpu_policy": "dedicated"}
        assert versioned.dedicated_cpus(topology(cell, version="1.10")) == ()

    def test_before_liberty(self):
        """A topology that is no versioned object pins nothing."""
        column = json.dumps({"cells": [{"id": 0, "cpus": "0-3", "mem": {"total": 512}}]})
        assert versioned.dedicated_cpus(column) == ()


class TestDevices:
    """``instance_extra.device_metadata``."""

    def test_recorded(self):
        """A NIC, a disk and a share, with buses and tags."""
        assert (
            Nic(
                mac="fa:16:3e:00:00:01",
                vlan=1000,
                vf_trusted=True,
                bus="pci",
                address="0000:00:02.0",
                tags=("trusted",),
            ),
            Disk(
                serial="disk-vol-2352423",
                path="/dev/sda",
                bus="scsi",
                address="05c8:021e:04a7:011b",
                tags=("baz", "boot"),
            ),
            Share(share_id="ca3c176e-fd5a-438b-b595-e18a358f6909", tag="my_share_tag"),
        ) == versioned.devices(extra("full")["device_metadata"])

    def test_unknown_classes(self):
        """Devices and buses that no document shows are left out; the others keep their order."""
        recorded = extra("device-buses")["device_metadata"]
        written = json.loads(recorded)["nova_object.data"]["devices"]
        found = versioned.devices(recorded)
        assert [d.bus for d in found] == ["pci", "usb", "scsi", "ide", "xen", None, None, "pci"]
        assert len(written) == len(found) + 2

    def test_tags(self):
        """No tags recorded and none given are different."""
        found = versioned.devices(extra("device-buses")["device_metadata"])
        assert (found[0].tags, found[5].tags) == (None, ())
