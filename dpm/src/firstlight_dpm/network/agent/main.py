"""The command ``neutron-dpm-agent``. What its configuration lacks is said before it runs."""

import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

# First: neutron decides which of oslo.service's backends the process has.
from neutron.common import config as neutron_config
from neutron.conf import common as neutron_options
from neutron.conf.agent import securitygroups_rpc
from neutron.plugins.ml2.drivers.agent import _common_agent
from oslo_config import cfg
from oslo_service import service

from firstlight_dpm import names, options
from firstlight_dpm.backing import Backing
from firstlight_dpm.errors import Consequence, HmcError, attempting
from firstlight_dpm.hmc import Hmc, Login, features
from firstlight_dpm.hmc.session import BadLogin
from firstlight_dpm.network.agent.manager import LOG_OFF, Agent, Manager
from firstlight_dpm.network.agent.mapping import BadMapping, resolve
from firstlight_dpm.network.agent.nics import Reader
from firstlight_dpm.network.agent.watch import Watch

LOG = logging.getLogger(__name__)

_NOOP = (None, "", "noop", "neutron.agent.firewall.NoopFirewallDriver")
_LONGEST_WAIT = 60  # seconds between two attempts to reach the HMC


class BadConfiguration(ValueError):
    """The agent cannot run so; the text says what to change."""


class MachineFacts(NamedTuple):
    """What is asked of the machine once, at the start."""

    mapped: dict[str, Backing]
    nic_vlan: bool


def main() -> int:
    """Run until a signal; returns the exit code, 1 if the configuration cannot work."""
    neutron_config.register_common_config_options()
    accept_nova_hosts(cfg.CONF)
    securitygroups_rpc.register_securitygroups_opts()
    options.register_network(cfg.CONF)
    neutron_config.init(sys.argv[1:])
    neutron_config.setup_logging()
    neutron_config.setup_gmr()
    logging.getLogger(_common_agent.__name__).addFilter(tells_something)
    end_by(signal.SIGTERM, signal.SIGINT)
    agent = agent_or_complaint(cfg.CONF)
    if isinstance(agent, str):
        LOG.error("neutron-dpm-agent does not start: %s", agent)
        return 1
    interrupt_gracefully()
    return int(service.launch(cfg.CONF, agent, restart_method="mutate").wait() or 0)


def tells_something(record: logging.LogRecord) -> bool:
    """Whether a line of Neutron's agent is more than that another look begins, or has ended."""
    return "Agent loop - iteration" not in str(record.msg)


def end_by(*signals: int) -> None:
    """While the machine is asked, these end the process as an exception does: logged off."""

    def end(_number: int, _frame: object) -> None:
        signal.alarm(LOG_OFF)  # which ends it if the HMC does not answer
        raise SystemExit(0)

    for number in signals:
        signal.signal(number, end)


def interrupt_gracefully() -> None:
    """Make SIGINT what SIGTERM is: oslo.service would end at once, and stay logged on."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # of the processes it forks, too

    def wait() -> None:
        signal.sigwait({signal.SIGINT})
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait, name="interrupts", daemon=True).start()


def agent_or_complaint(conf: cfg.ConfigOpts) -> Agent | str:
    """The agent, or what to change; said outside of the handler, where oslo.log says it once."""
    try:
        return make_agent(conf)
    except (BadConfiguration, BadMapping, BadLogin, names.BadHost, cfg.Error, HmcError) as error:
        return str(error)


def make_agent(conf: cfg.ConfigOpts) -> Agent:
    """The agent that `conf` describes, not running; waits for an HMC that cannot be reached.

    Raises:
        BadConfiguration, BadMapping, BadLogin, BadHost: what to change.
        HmcError: the HMC refuses, for a reason that will not pass.
    """
    check_firewall(conf)
    host = names.check_host(conf.host)
    # The agent asks again by itself, and says sooner that the HMC is away.
    login = replace(Login.of(conf), retries=0)
    lines = conf.dpm.physical_network_adapter_mappings or []
    machine = patiently(lambda: ask_machine(login, lines), time.sleep)
    for physnet, backing in machine.mapped.items():
        LOG.info("host %s: network %s is on %s", host, physnet, backing.named)
    hmc = Hmc(login)
    reader = Reader(hmc, host, frozenset(machine.mapped.values()))
    watch = Watch(reader.read, conf.AGENT.polling_interval, hmc.close)
    manager = Manager(host, machine.mapped, watch, nic_vlan=machine.nic_vlan)
    return Agent(manager, watch, conf.AGENT.polling_interval, conf.AGENT.quitting_rpc_timeout)


def accept_nova_hosts(conf: cfg.ConfigOpts) -> None:
    """Let ``host`` be what Nova lets it be, such as ``subset_1``.

    Neutron takes only what could be a node's name or address. Ours is the name of a CPC subset;
    nova-dpm's own examples have an underscore in it, and partitions that exist carry it.
    """
    (theirs,) = [option for option in neutron_options.core_opts if option.dest == "host"]
    conf.unregister_opt(theirs)
    conf.register_opt(cfg.StrOpt("host", default=theirs.default, help=theirs.help))


def check_firewall(conf: cfg.ConfigOpts) -> None:
    """Raises BadConfiguration if security groups are expected to be enforced."""
    driver = conf.SECURITYGROUP.firewall_driver
    if driver not in _NOOP:
        raise BadConfiguration(
            f"[SECURITYGROUP] firewall_driver is {driver}; set it to noop, because nothing can "
            "filter between a partition and its network"
        )


def ask_machine(login: Login, lines: list[options.NetworkPort]) -> MachineFacts:
    """Find the machine, and what the mappings mean on it; logged off afterwards.

    Raises:
        BadConfiguration, BadMapping: what to change.
        HmcError: the machine could not be asked.
    """
    hmc = Hmc(login)
    try:
        cpc = hmc.find_cpc()
        if not cpc.dpm_enabled:
            raise BadConfiguration(
                f"the machine {cpc.name} is not in DPM mode; see [dpm] cpc_object_id"
            )
        with attempting("asking what the machine can do"):
            can = features(cpc)
        return MachineFacts(resolve(cpc, lines, adapter_ports=can.adapter_ports), can.vlan)
    finally:
        hmc.close()  # the agent runs in another process, which cannot share connections


def patiently(ask: Callable[[], MachineFacts], sleep: Callable[[float], None]) -> MachineFacts:
    """What `ask` answers, as soon as it can; an HMC that is away is no reason to end."""
    wait = 1
    while True:
        answer = _answer(ask)
        if isinstance(answer, MachineFacts):
            return answer
        LOG.warning("%s. Trying again in %d s", answer, wait)
        sleep(wait)
        wait = min(2 * wait, _LONGEST_WAIT)


def _answer(ask: Callable[[], MachineFacts]) -> MachineFacts | HmcError:
    """What it answers, or why not now; raises what will not pass."""
    try:
        return ask()
    except HmcError as error:
        if error.consequence is not Consequence.LATER:
            raise
        return error


if __name__ == "__main__":
    sys.exit(main())
