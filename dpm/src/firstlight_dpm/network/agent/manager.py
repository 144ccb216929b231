"""What Neutron's common agent asks of the kind of agent that it runs (neutron 29).

A device is the UUID of the port: MAC addresses repeat between networks, and Neutron's server takes
UUIDs.
"""

import threading
from collections.abc import Iterable, Mapping
from typing import Any

import oslo_messaging
from neutron.api.rpc.handlers import securitygroups_rpc
from neutron.plugins.ml2.drivers.agent import _agent_manager_base as base
from neutron.plugins.ml2.drivers.agent import _common_agent
from neutron_lib.agent import topics
from oslo_log import log

from firstlight_dpm.backing import Backing
from firstlight_dpm.network import reported
from firstlight_dpm.network.agent.nics import Nic
from firstlight_dpm.network.agent.watch import Watch

LOG = log.getLogger(__name__)

#: Seconds to log off in; a session that is left ends on the HMC by itself some time.
LOG_OFF = 5


class Callbacks(
    securitygroups_rpc.SecurityGroupAgentRpcCallbackMixin, base.CommonAgentManagerRpcCallBackBase
):
    """What Neutron's server tells agents; called by threads of oslo.messaging."""

    target = oslo_messaging.Target(version="1.4")

    def __init__(self, context: Any, agent: Any, sg_agent: Any) -> None:
        super().__init__(context, agent, sg_agent)
        self._lock = threading.Lock()

    def port_update(self, _context: Any, **told: Any) -> None:
        """A port, of this host or of another, was changed."""
        with self._lock:
            self.updated_devices.add(told["port"]["id"])

    def get_and_clear_updated_devices(self) -> set[str]:
        """The ports that were changed since this was last asked."""
        with self._lock:
            updated: set[str] = super().get_and_clear_updated_devices()
        return updated


class Manager(base.CommonAgentManagerBase):
    """The devices of one host are the NICs that a Watch knows.

    Args:
        host: the CPC subset.
        mapped: by physical network, what NICs on it are plugged into.
        nic_vlan: whether the machine can put a NIC into a VLAN.
    """

    def __init__(
        self, host: str, mapped: Mapping[str, Backing], watch: Watch, *, nic_vlan: bool
    ) -> None:
        self._host = host
        self._mapped = mapped
        self._watch = watch
        self._nic_vlan = nic_vlan

    def get_agent_id(self) -> str:
        """Unique among agents."""
        return f"dpm-{self._host}"

    def get_agent_configurations(self) -> dict[str, Any]:
        """What ``openstack network agent show`` shows, and the ML2 driver binds by."""
        return reported.configurations(self._mapped, nic_vlan=self._nic_vlan)

    def get_all_devices(self) -> set[str]:
        """The ports that have a NIC; at once."""
        return set(self._watch.known())

    def get_devices_modified_timestamps(self, devices: Iterable[str]) -> dict[str, Nic]:
        """Something that differs if a port's NIC was made anew, or moved."""
        known = self._watch.known()
        return {device: known[device] for device in devices if device in known}

    def plug_interface(
        self, _network_id: str, segment: Any, device: str, _device_owner: str
    ) -> bool:
        """Whether the port's NIC is on its network; the Nova driver has plugged it, or nobody."""
        nic = self._watch.known().get(device)
        if nic is None:
            return False
        if nic.backing != self._mapped.get(segment.physical_network):
            LOG.warning(
                "port %s: its NIC is plugged into %s, and not into physical network %s",
                device,
                nic.backing,
                segment.physical_network,
            )
            return False
        return True

    def ensure_port_admin_state(self, device: str, admin_state_up: bool) -> None:
        """A NIC has no switch; the server sets the port's status by itself."""
        if not admin_state_up:
            LOG.warning(
                "port %s is disabled, and its NIC works on: nothing between a partition and its "
                "network can stop it. Detach the port from its server to cut it off",
                device,
            )

    def get_extension_driver_type(self) -> str:
        """Extensions of L2 agents that are for ours would name this."""
        return "dpm"

    def get_rpc_callbacks(self, context: Any, agent: Any, sg_agent: Any) -> Callbacks:
        """Whom the server tells of changes."""
        return Callbacks(context, agent, sg_agent)

    def get_rpc_consumers(self) -> list[list[str]]:
        """What of it."""
        return [[topics.PORT, topics.UPDATE], [topics.SECURITY_GROUP, topics.UPDATE]]

    def get_agent_api(self, **_given: Any) -> None:
        """Extensions have nothing to call here."""

    def setup_arp_spoofing_protection(self, device: str, device_details: Any) -> None:
        """Nothing between a partition and its network could filter."""

    def delete_arp_spoofing_protection(self, devices: Any) -> None:
        """Nothing was set up."""

    def delete_unreferenced_arp_protection(self, current_devices: Any) -> None:
        """Nothing was set up."""


class Agent(_common_agent.CommonAgentLoop):
    """The common agent, and the watch beside it."""

    def __init__(self, manager: Manager, watch: Watch, interval: int, quitting: int) -> None:
        super().__init__(manager, interval, quitting, reported.AGENT_TYPE, reported.AGENT_BINARY)
        self._watch = watch

    def start(self) -> None:
        """Run; in the process that oslo.service has forked."""
        self._watch.start()
        super().start()

    def stop(self, graceful: bool = True) -> None:
        """End, logged off; an HMC that is away is not waited for."""
        self._watch.stop()
        try:
            super().stop(graceful)
        finally:
            if not self._watch.wait(LOG_OFF):
                LOG.warning("Ending without having logged off: the HMC does not answer")

    def scan_devices(self, previous: dict[str, Any] | None, sync: bool) -> dict[str, Any]:
        """What has changed. What is there has not been removed.

        After a failure the common agent repeats what it had to say, up first and then down; a NIC
        that was made anew meanwhile would be left as down.
        """
        found: dict[str, Any] = super().scan_devices(previous, sync)
        found["removed"] -= found["current"]
        return found

    def _report_state(self) -> None:
        if not self.failed_report_state and "start_flag" not in self.agent_state:
            try:
                self._look_for_namesake()
            except oslo_messaging.MessagingException:
                LOG.debug("Neutron does not answer; the report meets the same, and says it")
            except Exception:  # would end the reports
                LOG.exception("Looking for another agent of this host broke")
        super()._report_state()

    def _look_for_namesake(self) -> None:
        """Say if Neutron has another mapping than was reported: somebody else reports, too."""
        mine = self.agent_state["configurations"][reported.MAPPINGS]
        shown = self.state_rpc.get_agents(
            self.context, host=self.agent_state["host"], agent_type=self.agent_type
        )
        others = [reported.mappings_of(agent) for agent in shown]
        if any(other != mine for other in others):
            LOG.error(
                "another agent reports as host %s, with the mappings %s; ports are bound by its or "
                "by this one's. Give each agent a [DEFAULT] host of its own",
                self.agent_state["host"],
                others,
            )
