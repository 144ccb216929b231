"""What the agent finds out before it runs, and what it says if it cannot."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from neutron.conf.agent import securitygroups_rpc
from neutron.conf.plugins.ml2.drivers import agent as agent_options
from oslo_config import cfg

from firstlight_dpm import names, options
from firstlight_dpm.backing import Backing
from firstlight_dpm.errors import Gone, NotLoggedOn, NotTrusted, Unreachable
from firstlight_dpm.hmc.session import BadLogin
from firstlight_dpm.mock import Served
from firstlight_dpm.network.agent import main
from firstlight_dpm.network.agent.mapping import BadMapping
from plugging import login_of

Configure = Callable[..., cfg.ConfigOpts]


@pytest.fixture
def configure(z13: Served) -> Configure:
    """The agent's configuration for the served machine, with these options of ``[dpm]``."""

    def configured(group: str = "dpm", **more: Any) -> cfg.ConfigOpts:
        conf = cfg.ConfigOpts()
        conf.register_opt(cfg.StrOpt("host", default="sub1"))
        agent_options.register_agent_opts(conf)
        securitygroups_rpc.register_securitygroups_opts(conf)
        options.register_network(conf)
        conf([], project="neutron", default_config_files=[], default_config_dirs=[])
        mapped = [f"red:{z13.machine.id('osa-1')}"]
        given = {"dpm": {**z13.options, "physical_network_adapter_mappings": mapped}}
        given[group] = {**given.get(group, {}), **more}
        for name, values in given.items():
            for option, value in values.items():
                conf.set_override(option, value, None if name == "DEFAULT" else name)
        return conf

    return configured


def test_made(z13: Served, configure: Configure) -> None:
    """The agent has resolved its mappings and is logged off before it runs."""
    agent = main.make_agent(configure())
    switch = z13.machine.id("osa-1/0/virtual-switch")
    assert agent.mgr.get_agent_id() == "dpm-sub1"
    assert agent.mgr.get_agent_configurations() == {
        "adapter_mappings": {"red": [switch]},
        "nic_vlan": False,
    }
    assert z13.console.requests[-1] == ("DELETE", "/api/sessions/this-session")


def test_every_generation(served: Served) -> None:
    """A z13's NICs have no VLANs; a z17's are on adapters."""
    line = options.NetworkPort("red", served.machine.id("osa-2"), "1")
    found = main.ask_machine(login_of(served), [line])
    assert found.nic_vlan is (served.machine.name != "z13")
    on_switch = Backing(served.machine.id("osa-2/1/virtual-switch"))
    on_adapter = Backing(line.adapter, "1")
    assert found.mapped["red"] == (on_adapter if served.machine.name == "z17" else on_switch)


@pytest.mark.parametrize("driver", [None, "", "noop", "neutron.agent.firewall.NoopFirewallDriver"])
def test_no_firewall(configure: Configure, driver: str | None) -> None:
    """Without a firewall there is nothing to say."""
    main.check_firewall(configure("SECURITYGROUP", firewall_driver=driver))


@pytest.mark.parametrize("driver", ["iptables", "openvswitch", "iptables_hybrid"])
def test_a_firewall(configure: Configure, driver: str) -> None:
    """A firewall that would never filter is refused."""
    with pytest.raises(main.BadConfiguration, match=f"firewall_driver is {driver}; set it to noop"):
        main.make_agent(configure("SECURITYGROUP", firewall_driver=driver))


def test_host_too_long(configure: Configure) -> None:
    """A host that does not fit names on the HMC is refused with its length."""
    with pytest.raises(names.BadHost, match="has 18 characters"):
        main.make_agent(configure("DEFAULT", host="a" * 18))


@pytest.mark.parametrize("option", ["hmc", "hmc_username", "hmc_password", "cpc_object_id"])
def test_no_login(configure: Configure, option: str) -> None:
    """What is missing is named."""
    with pytest.raises(BadLogin, match=rf"set {option} in \[dpm\]"):
        main.make_agent(configure(**{option: [] if option == "hmc" else None}))


@pytest.mark.parametrize("mapped", [None, []])
def test_no_mapping(configure: Configure, mapped: Any) -> None:
    """An agent without a network is of no use."""
    with pytest.raises(BadMapping, match="without it there is no network"):
        main.make_agent(configure(physical_network_adapter_mappings=mapped))


def test_no_such_machine(configure: Configure) -> None:
    """A machine that the HMC does not manage is not waited for."""
    with pytest.raises(Gone, match="the HMC manages no such machine"):
        main.make_agent(configure(cpc_object_id="3f1c4a0e-7c2d-11e6-8b77-0242ac130004"))


def test_not_in_dpm_mode(z13: Served, configure: Configure) -> None:
    """A machine that is not in DPM mode has no partitions for us."""
    z13.console.resource(f"/api/cpcs/{z13.machine.cpc}").properties["dpm-enabled"] = False
    with pytest.raises(main.BadConfiguration, match="Z13 is not in DPM mode"):
        main.make_agent(configure())


def test_wrong_password(configure: Configure) -> None:
    """A login that will not get better is not tried again; the password is not in the error."""
    with pytest.raises(NotLoggedOn) as caught:
        main.make_agent(configure(hmc_password="opensesame"))
    assert "opensesame" not in repr(caught.value)


def test_unknown_certificate(configure: Configure) -> None:
    """An HMC that is not trusted is not asked, and told apart from one that is away."""
    with pytest.raises(NotTrusted, match="hmc_ca_file"):
        main.make_agent(configure(hmc_ca_file=None))


def test_what_is_said(configure: Configure, tmp_path: Path) -> None:
    """Whatever stops the start is one sentence; so is a line that cannot be read."""
    said = main.agent_or_complaint(configure("DEFAULT", host="a" * 18))
    assert isinstance(said, str)
    assert "\n" not in said
    conf = configure()
    conf.clear_override("physical_network_adapter_mappings", "dpm")
    (tmp_path / "odd.conf").write_text("[dpm]\nphysical_network_adapter_mappings = red:osa-1,1\n")
    conf(["--config-file", str(tmp_path / "odd.conf")], project="neutron")
    said = main.agent_or_complaint(conf)
    assert isinstance(said, str)
    assert "'red:osa-1,1' is not of the form <physical network>:" in said


def test_hmc_away(caplog: pytest.LogCaptureFixture) -> None:
    """An HMC that is away is waited for, longer each time, up to a minute."""
    caplog.set_level(logging.WARNING)
    waited: list[float] = []
    machine = main.MachineFacts({}, nic_vlan=True)

    def ask() -> main.MachineFacts:
        if len(waited) < 9:
            raise Unreachable("looking for the machine", "connection refused")
        return machine

    assert main.patiently(ask, waited.append) is machine
    assert waited == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert "looking for the machine: connection refused" in caplog.messages[0]
    assert caplog.messages[0].endswith("Trying again in 1 s")
