"""A whole boot: what cloud-init makes of a machine when it asks the running services."""

import json
from typing import Any, NamedTuple

import pytest

from guests.booting import CloudInit
from guests.cloud import Cloud
from guests.machine import boot_machine
from guests.sequence import sequence


class Machine(NamedTuple):
    """A machine that has booted, and what was asked meanwhile."""

    became: dict[str, Any]
    asked: list[str]

    @property
    def files(self) -> dict[str, str]:
        """By path."""
        files: dict[str, str] = self.became["files"]
        return files


@pytest.fixture(scope="session")
def machine(served: Cloud, debian: CloudInit, tmp_path_factory: pytest.TempPathFactory) -> Machine:
    """A machine after its first boot."""
    served.asked()
    became = boot_machine(served.net.guest, debian, tmp_path_factory.mktemp("machine"))
    return Machine(became, served.asked())


def test_the_datasource_is_ours(machine: Machine) -> None:
    """cloud-init says that it booted from OpenStack, and knows of no error."""
    result = json.loads(machine.files["/run/cloud-init/result.json"])["v1"]
    assert result["datasource"].startswith("DataSourceOpenStack [net")
    assert result["errors"] == []


def test_it_has_its_name(machine: Machine) -> None:
    """The kernel and /etc/hostname say what the instance is called."""
    assert machine.became["name"] == "first-light"
    assert machine.files["/etc/hostname"] == "first-light\n"


def test_its_owner_may_log_in(machine: Machine) -> None:
    """The image's user has the instance's key."""
    assert machine.files["/home/debian/.ssh/authorized_keys"].endswith(" alice@laptop\n")


def test_user_data_was_carried_out(machine: Machine) -> None:
    """What the user asked for is there."""
    assert machine.files["/etc/firstlight/from-user-data"] == "user"


def test_vendor_data_was_carried_out(machine: Machine) -> None:
    """What the operator's file asked for is there."""
    assert machine.files["/etc/firstlight/from-vendor-data"] == "vendor\n"


def test_vendor_data2_was_carried_out(machine: Machine) -> None:
    """What the vendordata service asked for is there, and went before the operator's file."""
    assert machine.files["/etc/firstlight/from-vendor-data2"] == "vendor2\n"


def test_user_data_goes_first(machine: Machine) -> None:
    """Where all three say something, the user's word is the last."""
    assert machine.became["said"][-1].rstrip().endswith("user")


def test_its_network_is_configured(machine: Machine) -> None:
    """The ports' addresses are in the system's own network configuration."""
    folders = ("/etc/systemd/network/", "/etc/netplan/", "/etc/network/interfaces.d/")
    text = "".join(text for path, text in machine.files.items() if path.startswith(folders))
    for word in ("10.0.0.5", "10.0.0.1", "fa:16:3e:00:00:05", "2001:db8:8::140", "1450"):
        assert word in text


def test_a_boot_asks_what_the_datasource_asks(machine: Machine, debian: CloudInit) -> None:
    """No stage asks anything else."""
    assert machine.asked == sequence(debian.version, "OpenStack")
