"""The driver alone on a served HMC: whatever fails while a server is made, nothing is left."""

from contextlib import contextmanager

import pytest
from nova import exception, objects
from nova.compute import task_states
from nova.conf import CONF
from oslo_config import fixture

from firstlight_dpm import options
from firstlight_dpm.backing import Backing
from firstlight_dpm.compute.driver import DPMDriver
from firstlight_dpm.mock.faults import Fault

UUID = "88dae9fa-0dc6-49e3-8c29-3abc41e99ac9"
NODE = "99999999-2222-4333-8444-555555555555"

#: Whatever changes something.
CHANGES = {"method": "POST|DELETE", "uri": "/api/(?!sessions|services).*"}


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


def test_each_change_fails(served, driver, instance):
    """One change after the other is refused: nothing is left by the driver alone, and Nova's
    exception says why."""
    faults, passed = served.console.faults, 0
    while True:
        faults.clear()
        faults.add(Fault(**CHANGES, skip=passed, times=1, status=500, message=f"luck {passed}"))
        try:
            make(served, driver, instance)
        except exception.NovaException as error:
            assert f"luck {passed}" in str(error)
            assert left(served) == [], f"after {passed} changes"
            passed += 1
        else:
            break
    # The partition, its storage, the boot volume, two NICs, the start: more or fewer by machine.
    assert passed >= 7
    faults.clear()
    driver.destroy(None, instance, [])
    assert left(served) == []


@pytest.mark.parametrize(
    "fault",
    [
        Fault(uri=".*/operations/start", times=1, status=500, job=True),
        Fault(uri=".*/operations/start", times=1, drop=True),
        Fault(method="GET", uri="/api/jobs/.*", times=1, status=500),
    ],
    ids=["its job", "its connection", "asking for its job"],
)
def test_start_fails(served, driver, instance, fault: Fault):
    """A start that ends badly, or whose end nobody learns, leaves nothing."""
    fault = Fault(**vars(fault))
    served.console.faults.add(fault)
    with pytest.raises(exception.NovaException):
        make(served, driver, instance)
    assert left(served) == []


def test_taking_back_fails(served, driver, instance):
    """If the HMC stays away, Nova's own clean-up later does what the driver could not."""
    served.console.faults.add(Fault(uri=".*/operations/start", status=500))
    served.console.faults.add(Fault(method="DELETE", uri=".*", times=1, drop=True))
    with pytest.raises(exception.NovaException, match="starting"):
        make(served, driver, instance)
    assert left(served) != []
    served.console.faults.clear()
    driver.destroy(None, instance, [])
    assert left(served) == []


def test_made_again(served, driver, instance):
    """What is there already is taken: unshelving asks for the connector before anything else."""
    for _ in range(2):
        make(served, driver, instance)
    assert len(left(served)) == (2 if served.machine.storage_groups else 1)
    driver.destroy(None, instance, [])


def test_no_partition_by_asking(served, driver, instance):
    """Asking for the connector of a server that is not being made makes nothing."""
    instance.task_state = None
    with pytest.raises(exception.InstanceNotFound):
        driver.get_volume_connector(instance)
    assert left(served) == []


def test_removed_twice(served, driver, instance):
    """Destroying, cleaning up, and that again: no complaint, whatever there is left."""
    make(served, driver, instance)
    for remove in (driver.destroy, driver.cleanup, driver.destroy):
        remove(None, instance, [])
    driver.failed_spawn_cleanup(instance)
    assert left(served) == []


def test_not_powered_on(served, driver, instance):
    """A server that Nova wants off is made, and not started."""
    driver.prepare_for_spawn(instance)
    wwpns = driver.get_volume_connector(instance)["wwpns"]
    info = {"block_device_mapping": [volume(wwpns)]}
    driver.spawn(None, instance, None, [], None, {}, block_device_info=info, power_on=False)
    assert driver._partitions.find(UUID).properties["status"] == "stopped"
    driver.destroy(None, instance, [])


def test_attaching_fails(served, driver, instance):
    """A NIC that cannot be finished is taken away again; those that were there stay."""
    make(served, driver, instance)
    served.console.faults.add(Fault(method="GET", uri=".*/nics/.*", times=1, skip=2, status=500))
    with pytest.raises(exception.NovaException):
        driver.attach_interface(None, instance, None, vif(served, 2))
    machine = served.console.mock.hmc.cpcs.list()[0]
    (partition,) = machine.partitions.list()
    assert len(partition.nics.list()) == 2
    driver.attach_interface(None, instance, None, vif(served, 2))
    assert len(partition.nics.list()) == 3
    driver.destroy(None, instance, [])
