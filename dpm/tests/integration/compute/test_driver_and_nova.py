"""The driver alone on a served HMC: what is Nova's stays Nova's, and what Nova says counts."""

import threading

import pytest
from nova import exception, objects
from nova.compute import vm_states
from nova.compute.provider_tree import ProviderTree
from nova.conf import CONF
from oslo_config import fixture

from driver_alone import NODE, left, make, vif
from firstlight_dpm.compute.driver import DPMDriver
from firstlight_dpm.mock.faults import Fault


def test_states_are_nova_s(served, driver, instance, monkeypatch):
    """Whatever the driver is asked for, it neither changes the instance nor saves it."""
    saved: list[object] = []
    monkeypatch.setattr(objects.Instance, "save", lambda *_, **__: saved.append(_))
    instance.vm_state = vm_states.BUILDING
    instance.obj_reset_changes(recursive=True)
    make(served, driver, instance)
    driver.power_off(instance)
    driver.power_on(None, instance, [])
    driver.reboot(None, instance, [], "HARD")
    driver.attach_interface(None, instance, None, vif(served, 2))
    driver.detach_interface(None, instance, vif(served, 2))
    driver.destroy(None, instance, [])
    driver.cleanup(None, instance, [])
    assert (saved, instance.obj_what_changed()) == ([], set())


@pytest.mark.parametrize(
    "fault",
    [Fault(status=500), Fault(drop=True), Fault(status=409, reason=2)],
    ids=["an error", "away", "busy"],
)
def test_another_host_may_do_better(served, driver, instance, fault: Fault):
    """A machine that cannot prepare a partition now sends Nova to another host; nothing stays."""
    served.console.faults.add(
        Fault(**vars(fault) | {"method": "POST", "uri": "/api/cpcs/[^/]*/partitions"})
    )
    with pytest.raises(exception.ComputeResourcesUnavailable):
        driver.prepare_for_spawn(instance)
    served.console.faults.clear()
    assert left(served) == []


def test_no_host_may_do_better(driver, instance):
    """What no partition can be is not tried elsewhere."""
    instance.image_ref = "11111111-0dc6-49e3-8c29-3abc41e99ac9"
    with pytest.raises(exception.InstanceUnacceptable):
        driver.prepare_for_spawn(instance)


def test_logs_off(served, driver):
    """Once the host ends, none of its threads has a session on the HMC any more."""
    driver.cleanup_host("sub1")
    before = len(served.console.requests)
    driver.init_host("sub1")
    ask = threading.Barrier(3)
    threads = [threading.Thread(target=lists, args=(driver, ask)) for _ in range(2)]
    for thread in threads:
        thread.start()
    ask.wait()  # all three have a session
    driver.cleanup_host("sub1")
    ask.wait()
    for thread in threads:
        thread.join()
    done = served.console.requests[before:]
    assert done.count(("POST", "/api/sessions")) == 3
    assert done.count(("DELETE", "/api/sessions/this-session")) == 3


def lists(driver: DPMDriver, ask: threading.Barrier) -> None:
    """What a thread of Nova's does, which ends later than the host."""
    driver.list_instances()
    ask.wait()
    ask.wait()


def given(driver: DPMDriver, known: float | None = None) -> dict[str, dict[str, object]]:
    """What Placement is told; `known` is the ratio of processors that it has."""
    tree = ProviderTree()
    tree.new_root("sub1", NODE)
    if known:
        tree.update_inventory("sub1", {"VCPU": {"total": 1, "allocation_ratio": known}})
    driver.update_provider_tree(tree, "sub1")
    return tree.data("sub1").inventory


def test_processors_are_given_by_nova_s_ratio(driver):
    """The operator's ratio counts; without one what Placement has; at first the initial one."""
    assert given(driver)["VCPU"]["allocation_ratio"] == 4.0
    assert given(driver, known=7.0)["VCPU"]["allocation_ratio"] == 7.0
    with fixture.Config(CONF) as config:
        config.config(initial_cpu_allocation_ratio=2.5)
        assert given(driver)["VCPU"]["allocation_ratio"] == 2.5
        config.config(cpu_allocation_ratio=3.0)
        assert given(driver, known=7.0)["VCPU"]["allocation_ratio"] == 3.0


def test_memory_is_never_given_twice(driver):
    """Whatever Nova's options say: PR/SM has no more than there is, and nothing is reserved."""
    with fixture.Config(CONF) as config:
        config.config(ram_allocation_ratio=2.0, reserved_host_memory_mb=512)
        memory = given(driver)["MEMORY_MB"]
    assert (memory["allocation_ratio"], memory["reserved"], memory["total"]) == (1.0, 0, 65536)
