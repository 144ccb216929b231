"""What Neutron's common agent is told: devices are ports, and a port is up on its network only."""

import logging
import threading
from types import SimpleNamespace
from typing import Any

import pytest
from neutron.plugins.ml2.drivers.agent import _agent_manager_base as base

from firstlight_dpm.backing import Backing
from firstlight_dpm.network.agent.manager import Agent, Callbacks, Manager
from firstlight_dpm.network.agent.nics import Nic, Nics
from firstlight_dpm.network.agent.watch import Watch

ON_RED, ON_BLUE = (Backing(f"{n}f1c4a0e-7c2d-11e6-8b77-0242ac130004", "1") for n in "34")
PORT = "11111111-2222-3333-4444-555555555555"


class Known:
    """A watch that has read this."""

    def __init__(self) -> None:
        self.nics: dict[str, Nic] = {PORT: Nic("/nics/1", ON_RED)}

    def watch(self) -> Watch:
        watch = Watch(self._read, 1, lambda: None)
        watch.look()
        return watch

    def _read(self, _known: Nics) -> Nics:
        return self.nics


@pytest.fixture
def manager() -> Manager:
    mapped = {"red": ON_RED, "blue": ON_BLUE}
    return Manager("sub1", mapped, Known().watch(), nic_vlan=True)


def test_who_it_is(manager: Manager) -> None:
    """The agent's id and type are networking-dpm's."""
    assert manager.get_agent_id() == "dpm-sub1"
    assert manager.get_extension_driver_type() == "dpm"
    assert isinstance(manager, base.CommonAgentManagerBase)


def test_configurations(manager: Manager) -> None:
    """What is reported: resolved mappings, in lists, and whether NICs can be in VLANs."""
    assert manager.get_agent_configurations() == {
        "adapter_mappings": {"red": [str(ON_RED)], "blue": [str(ON_BLUE)]},
        "nic_vlan": True,
    }


def test_devices_are_ports(manager: Manager) -> None:
    """A device is the port's UUID; each call has a set of its own."""
    devices = manager.get_all_devices()
    assert devices == {PORT}
    devices.clear()
    assert manager.get_all_devices() == {PORT}


def test_a_nic_that_changes() -> None:
    """A NIC made anew, or moved, is told apart from one that stayed."""
    known = Known()
    watch = known.watch()
    manager = Manager("sub1", {}, watch, nic_vlan=False)
    seen = [manager.get_devices_modified_timestamps({PORT, "gone"})]
    for nic in (Nic("/nics/1", ON_RED), Nic("/nics/2", ON_RED), Nic("/nics/2", ON_BLUE)):
        known.nics = {PORT: nic}
        watch.look()
        seen.append(manager.get_devices_modified_timestamps({PORT}))
    assert set(seen[0]) == {PORT}
    assert seen[0] == seen[1] != seen[2] != seen[3]


@pytest.mark.parametrize(
    ("physnet", "device", "plugged"),
    [("red", PORT, True), ("blue", PORT, False), ("green", PORT, False), ("red", "gone", False)],
)
def test_plugged(manager: Manager, physnet: str, device: str, plugged: bool) -> None:
    """A port is plugged if its NIC is there, and on the network that the port is on."""
    segment = SimpleNamespace(physical_network=physnet)
    assert manager.plug_interface("network", segment, device, "compute:nova") is plugged


def test_a_port_is_disabled(manager: Manager, caplog: pytest.LogCaptureFixture) -> None:
    """Nothing can stop a NIC, which is said, and only then."""
    caplog.set_level(logging.WARNING)
    manager.ensure_port_admin_state(PORT, admin_state_up=True)
    assert not caplog.messages
    manager.ensure_port_admin_state(PORT, admin_state_up=False)
    assert f"port {PORT} is disabled, and its NIC works on" in caplog.text


def test_the_rest_does_nothing(manager: Manager) -> None:
    """There is no switch to set, and nothing that could filter."""
    manager.ensure_port_admin_state(PORT, False)
    manager.setup_arp_spoofing_protection(PORT, {})
    manager.delete_arp_spoofing_protection({PORT})
    manager.delete_unreferenced_arp_protection({PORT})
    assert manager.get_agent_api() is None
    assert manager.get_all_devices() == {PORT}


def test_consumers(manager: Manager) -> None:
    """It hears of ports and of security groups."""
    assert manager.get_rpc_consumers() == [["port", "update"], ["security_group", "update"]]


@pytest.fixture
def callbacks(manager: Manager) -> Callbacks:
    made = manager.get_rpc_callbacks(None, None, None)
    assert isinstance(made, base.CommonAgentManagerRpcCallBackBase)
    assert made.target.version == "1.4"
    return made


def test_port_update(callbacks: Callbacks) -> None:
    """A changed port is remembered by its UUID until it was asked for, once."""
    callbacks.port_update(None, port={"id": PORT, "mac_address": "fa:16:3e:00:00:01"})
    assert callbacks.get_and_clear_updated_devices() == {PORT}
    assert callbacks.get_and_clear_updated_devices() == set()


def test_no_update_is_lost(callbacks: Callbacks) -> None:
    """Updates that arrive on several threads while they are fetched are each fetched once."""
    told = [f"{thread}-{number}" for thread in range(4) for number in range(500)]

    def tell(thread: int) -> None:
        for number in range(500):
            callbacks.port_update(None, port={"id": f"{thread}-{number}"})

    threads = [threading.Thread(target=tell, args=(thread,)) for thread in range(4)]
    for thread in threads:
        thread.start()
    fetched: list[str] = []
    while any(thread.is_alive() for thread in threads):
        fetched += callbacks.get_and_clear_updated_devices()
    fetched += callbacks.get_and_clear_updated_devices()
    assert sorted(fetched) == sorted(told)


def test_made_anew_while_neutron_did_not_answer(manager: Manager) -> None:
    """A NIC that went, which Neutron could not be told, and is back is up: nothing says that it is
    gone after it was said to be there."""
    watch: Any = SimpleNamespace()
    agent = Agent(manager, watch, 2, 10)
    agent.rpc_callbacks = Callbacks(None, agent, None)
    gone = "22222222-2222-3333-4444-555555555555"
    untold = {"current": set(), "removed": {PORT, gone}, "updated": set(), "timestamps": {}}
    found = agent.scan_devices(untold, sync=True)
    assert (found["added"], found["removed"]) == ({PORT}, {gone})


def test_the_watch_begins_and_ends_with_the_agent(
    manager: Manager, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The agent reads in the process that runs it, not in the one that made it."""
    said: list[str] = []
    common: Any = Agent.__mro__[1]
    monkeypatch.setattr(common, "start", lambda _self: said.append("agent"))
    monkeypatch.setattr(common, "stop", lambda _self, graceful: said.append(f"end {graceful}"))
    watch: Any = SimpleNamespace(
        start=lambda: said.append("watch"),
        stop=lambda: said.append("end watch"),
        wait=lambda _seconds: said.append("log off"),
    )
    agent = Agent(manager, watch, 2, 10)
    assert said == []
    agent.start()
    agent.stop(graceful=False)
    assert said == ["watch", "agent", "end watch", "end False", "log off"]
