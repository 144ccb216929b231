"""The driver alone on a served HMC: whatever fails while a server is made, nothing is left."""

import pytest
from nova import exception

from driver_alone import UUID, left, make, vif, volume
from firstlight_dpm.mock.faults import Fault

#: Whatever changes something.
CHANGES = {"method": "POST|DELETE", "uri": "/api/(?!sessions|services).*"}


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
