"""The ML2 driver binds by what an agent reports, and each port gets its own details.

The contexts of ports are Neutron's own tests' (neutron 29).
"""

import logging
from collections.abc import Mapping
from typing import Any

import pytest
from neutron.tests.unit.plugins.ml2 import _test_mech_agent as neutrons
from neutron_lib.api.definitions import portbindings, qinq, vlantransparent
from neutron_lib.plugins.ml2 import api

from firstlight_dpm.network.ml2 import DpmMechanismDriver

SWITCH = "6a9f8a5e-7c2d-11e6-8b77-0242ac130004"
OTHER = "7b9f8a5e-7c2d-11e6-8b77-0242ac130004"
PHYSNET = "fake_physical_network"  # as in the segments of Neutron's tests
[UNKNOWN, FLAT] = neutrons.AgentMechanismFlatTestCase.FLAT_SEGMENTS
[_, ON_VLAN] = neutrons.AgentMechanismVlanTestCase.VLAN_SEGMENTS
PLAIN = {"port_filter": False, "connectivity": "l2", "object_id": SWITCH}


class Context(neutrons.FakePortContext):  # type: ignore[misc]
    """A port that is to be bound, with a MAC address."""

    mac = "fa:16:3e:00:00:01"
    more: Mapping[str, Any] = {}

    @property
    def current(self) -> dict[str, Any]:
        """The port, as Neutron shows it."""
        return {**super().current, "mac_address": self.mac, **self.more}

    @property
    def bound(self) -> tuple[str | None, str | None, dict[str, Any] | None]:
        """Segment, vif_type and vif_details; three None if it is not bound."""
        return self._bound_segment_id, self._bound_vif_type, self._bound_vif_details


def agent(*backings: str, alive: bool = True, **more: Any) -> dict[str, Any]:
    """What Neutron's database has of an agent that maps its network so."""
    mappings = {"adapter_mappings": {PHYSNET: list(backings)}, **more}
    return {"alive": alive, "configurations": mappings, "host": "sub1", "agent_type": "DPM agent"}


def bind(driver: DpmMechanismDriver, *agents: Any, segments: Any = None, **more: Any) -> Context:
    """What became of a port on these segments."""
    context = Context("DPM agent", list(agents), segments or [UNKNOWN, FLAT], **more)
    driver.bind_port(context)
    return context


@pytest.fixture
def driver() -> DpmMechanismDriver:
    """The driver, as Neutron's server loads it."""
    return DpmMechanismDriver()


def test_flat(driver: DpmMechanismDriver) -> None:
    """A flat network: the virtual switch's id, no security groups, no VLAN."""
    assert bind(driver, agent(SWITCH)).bound == ("flat_segment_id", "dpm_vswitch", PLAIN)


def test_vlan(driver: DpmMechanismDriver) -> None:
    """A VLAN, where the agent's machine can: its id besides."""
    context = bind(driver, agent(SWITCH, nic_vlan=True), segments=[UNKNOWN, ON_VLAN])
    assert context.bound == ("vlan_segment_id", "dpm_vswitch", {**PLAIN, "vlan": 1234})


@pytest.mark.parametrize("says", [{}, {"nic_vlan": False}, {"nic_vlan": "yes"}], ids=str)
def test_vlan_where_nics_cannot(driver: DpmMechanismDriver, says: dict[str, Any]) -> None:
    """A VLAN on a machine that cannot, or whose agent does not say so, is not bound."""
    context = bind(driver, agent(SWITCH, **says), segments=[UNKNOWN, ON_VLAN])
    assert context.bound == (None, None, None)


def test_flat_after_vlan(driver: DpmMechanismDriver) -> None:
    """A VLAN's id shows in no other binding, before or after."""
    can = agent(SWITCH, nic_vlan=True)
    contexts = [bind(driver, can, segments=[one]) for one in (FLAT, ON_VLAN, FLAT)]
    assert [context.bound[2] for context in contexts] == [PLAIN, {**PLAIN, "vlan": 1234}, PLAIN]


def test_an_adapters_port(driver: DpmMechanismDriver) -> None:
    """A z17's agent reports a port of an adapter; the binding names both, under its own type."""
    details = {"port_filter": False, "connectivity": "l2", "object_id": SWITCH, "port": "1"}
    assert bind(driver, agent(f"{SWITCH}:1")).bound == ("flat_segment_id", "dpm_adapter", details)


@pytest.mark.parametrize("segment", [FLAT, ON_VLAN], ids=["flat", "vlan"])
def test_nothing_mapped(driver: DpmMechanismDriver, segment: Any, caplog: Any) -> None:
    """An empty list binds nothing, and the log says whose it is."""
    context = bind(driver, agent(nic_vlan=True), segments=[segment])
    assert context.bound == (None, None, None)
    assert f"agent on sub1, physical network {PHYSNET}: nothing is mapped" in caplog.text


def test_several_mapped(driver: DpmMechanismDriver, caplog: pytest.LogCaptureFixture) -> None:
    """Of several the first is used, and the log says so."""
    assert bind(driver, agent(SWITCH, OTHER)).bound[2] == PLAIN
    assert "several are mapped, the first is used" in caplog.text


def test_nonsense_mapped(driver: DpmMechanismDriver, caplog: pytest.LogCaptureFixture) -> None:
    """What is no backing is not handed on to Nova."""
    assert bind(driver, agent("../console")).bound == (None, None, None)
    assert "names neither a virtual switch nor a port" in caplog.text


def test_another_network(driver: DpmMechanismDriver) -> None:
    """A physical network that the agent does not map is not bound."""
    elsewhere = {**FLAT, api.PHYSICAL_NETWORK: "another"}
    assert bind(driver, agent(SWITCH), segments=[elsewhere]).bound == (None, None, None)


@pytest.mark.parametrize("kind", ["local", "gre", "vxlan", "geneve", "no_such_type"])
def test_other_kinds(driver: DpmMechanismDriver, kind: str) -> None:
    """Only flat and VLAN networks end on an adapter."""
    segment = {**ON_VLAN, api.NETWORK_TYPE: kind}
    assert bind(driver, agent(SWITCH, nic_vlan=True), segments=[segment]).bound[0] is None


def test_dead_agent(driver: DpmMechanismDriver) -> None:
    """An agent that is not alive binds nothing; of two, the one that is alive does."""
    dead = agent(OTHER, alive=False)
    assert bind(driver, dead).bound[0] is None
    assert bind(driver, dead, agent(SWITCH)).bound[2] == PLAIN


@pytest.mark.parametrize("kind", sorted({*portbindings.VNIC_TYPES} - {portbindings.VNIC_NORMAL}))
def test_other_vnic_types(driver: DpmMechanismDriver, kind: str) -> None:
    """Only vnic_type normal is bound: no SR-IOV, no macvtap."""
    profile = {"pci_slot": "0000:00:01.0", "physical_network": PHYSNET}
    assert bind(driver, agent(SWITCH), vnic_type=kind, profile=profile).bound[0] is None


@pytest.mark.parametrize("mac", ["00:11:22:33:44:55", "fb:16:3e:00:00:01"])
def test_foreign_mac(
    driver: DpmMechanismDriver, mac: str, monkeypatch: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """A port that no adapter of IBM Z could carry is refused now, with the reason."""
    monkeypatch.setattr(Context, "mac", mac)
    assert bind(driver, agent(SWITCH)).bound[0] is None
    assert f"MAC address {mac} is not locally administered" in caplog.text


def test_trunk(
    driver: DpmMechanismDriver, monkeypatch: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """The parent of a trunk, whose subports nothing would plug, is refused with the reason."""
    monkeypatch.setattr(Context, "more", {"trunk_details": {"trunk_id": "t", "sub_ports": []}})
    assert bind(driver, agent(SWITCH)).bound[0] is None
    assert "is the parent of a trunk, which a partition's NIC cannot be" in caplog.text


def test_mapping_of_an_older_agent(driver: DpmMechanismDriver) -> None:
    """An agent that reports no mapping at all binds nothing and breaks nothing."""
    bare = {**agent(), "configurations": {}}
    assert bind(driver, bare).bound[0] is None


def test_extensions(driver: DpmMechanismDriver) -> None:
    """VLAN transparency and QinQ are said to be unsupported, the others are left."""
    assert driver.supported_extensions({vlantransparent.ALIAS, qinq.ALIAS, "mtu"}) == {"mtu"}


def test_no_bandwidth(driver: DpmMechanismDriver) -> None:
    """It is responsible for no resource provider."""
    context = Context("DPM agent", [agent(SWITCH)], [], profile={"allocation": {}})
    assert not driver.responsible_for_ports_allocation(context)


def test_hosts_that_reach_a_network(driver: DpmMechanismDriver) -> None:
    """For Neutron's scheduling, a host reaches the networks that its agent maps."""
    reached = driver.filter_hosts_with_segment_access(
        None, [FLAT], ["sub1"], lambda _context, filters: [agent(SWITCH)]
    )
    assert reached == {"sub1"}


def test_it_is_quiet(driver: DpmMechanismDriver, caplog: pytest.LogCaptureFixture) -> None:
    """A port that is bound as it should be is no reason for a warning."""
    caplog.set_level(logging.WARNING)
    bind(driver, agent(SWITCH))
    assert not caplog.records
