"""The driver alone on a served HMC, as Nova would call it; Nova's side of it is empty.

The conftest of whoever imports this has imported nova_first.
"""

from contextlib import contextmanager

import pytest
from nova import objects
from nova.compute import task_states
from nova.conf import CONF
from oslo_config import fixture

from firstlight_dpm import options
from firstlight_dpm.backing import Backing
from firstlight_dpm.compute.driver import DPMDriver

UUID = "88dae9fa-0dc6-49e3-8c29-3abc41e99ac9"
NODE = "99999999-2222-4333-8444-555555555555"


class VirtAPI:
    """Nova's side, where every port is up at once."""

    @contextmanager
    def wait_for_instance_event(self, *_: object, **__: object):
        """Nothing is waited for."""
        yield


@pytest.fixture
def driver(served, monkeypatch):
    """A host's driver that has started."""
    objects.register_all()
    monkeypatch.setattr("firstlight_dpm.compute.driver.get_local_node_uuid", lambda: NODE)
    options.register_compute(CONF)
    with fixture.Config(CONF) as config:
        config.config(
            group="dpm",
            **served.options,
            max_processors=8,
            max_memory=65536,
            physical_storage_adapter_mappings=list(served.machine.storage_ports),
        )
        config.config(my_ip="192.0.2.10")
        driver = DPMDriver(VirtAPI())
        driver.init_host("sub1")
        yield driver
        driver.cleanup_host("sub1")
        served.console.faults.clear()


@pytest.fixture
def instance():
    """A server that Nova is about to make."""
    return objects.Instance(
        uuid=UUID,
        image_ref="",
        config_drive="",
        launched_at=None,
        task_state=task_states.SPAWNING,
        system_metadata={},
        flavor=objects.Flavor(vcpus=1, memory_mb=512),
    )


def make(served, driver: DPMDriver, instance: objects.Instance) -> None:
    """As Nova makes a server: prepare, ask for the connector, spawn."""
    driver.prepare_for_spawn(instance)
    wwpns = driver.get_volume_connector(instance)["wwpns"]
    driver.spawn(
        None,
        instance,
        None,
        [],
        None,
        {},
        network_info=[vif(served, number) for number in range(2)],
        block_device_info={"block_device_mapping": [volume(wwpns)]},
    )


def vif(served, number: int) -> dict[str, object]:
    """A port that is up."""
    machine = served.machine
    backing = (
        Backing.parse(machine.network_ports[0])
        if machine.adapter_ports
        else Backing(machine.id("osa-1/0/virtual-switch"))
    )
    return {
        "id": f"{number:08x}-0dc6-49e3-8c29-3abc41e99ac9",
        "type": backing.vif_type,
        "details": backing.vif_details,
        "address": f"fa:16:3e:00:00:{number:02x}",
        "active": True,
    }


def volume(wwpns: list[str]) -> dict[str, object]:
    """A boot volume, zoned to the partition's ports."""
    zones = {wwpn: ["500507680b244ac1"] for wwpn in wwpns}
    data = {"initiator_target_map": zones, "target_lun": 1}
    return {
        "boot_index": 0,
        "connection_info": {"driver_volume_type": "fibre_channel", "data": data},
    }


def left(served) -> list[str]:
    """Partitions and storage groups on the HMC."""
    machine = served.console.mock.hmc.cpcs.list()[0]
    return [one.name for one in (*machine.partitions.list(), *served.console.groups.list())]
