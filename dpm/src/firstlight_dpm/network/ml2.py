"""The ML2 mechanism driver ``dpm``: binds a port to what an agent says its network is cabled to.

Written for neutron 29. It binds flat networks, and VLANs where the agent's machine can put a NIC
into one. There are no security groups, no QoS and no VLAN transparency behind such a NIC.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from neutron.plugins.ml2.drivers import mech_agent
from neutron_lib import constants
from neutron_lib.api.definitions import portbindings, qinq, trunk_details, vlantransparent
from neutron_lib.plugins.ml2 import api
from oslo_log import log

from firstlight_dpm.backing import VIF_TYPE_VSWITCH, VLAN, Backing
from firstlight_dpm.macs import is_local_unicast
from firstlight_dpm.network import reported

LOG = log.getLogger(__name__)


class DpmMechanismDriver(mech_agent.SimpleAgentMechanismDriverBase):
    """Ports of partitions; vnic_type ``normal`` only."""

    _explicitly_not_supported_extensions = frozenset({vlantransparent.ALIAS, qinq.ALIAS})

    def __init__(self) -> None:
        nothing_filtered = {portbindings.CAP_PORT_FILTER: False}
        super().__init__(reported.AGENT_TYPE, VIF_TYPE_VSWITCH, nothing_filtered)

    @property
    def connectivity(self) -> str:
        """Every port is on a plain Ethernet segment."""
        return str(portbindings.CONNECTIVITY_L2)

    def get_allowed_network_types(self, agent: Mapping[str, Any] | None = None) -> list[str]:
        """What the machine of `agent` can do; without one, what some machine can do."""
        if agent is not None and not reported.can_vlan(agent):
            return [constants.TYPE_FLAT]
        return [constants.TYPE_FLAT, constants.TYPE_VLAN]

    def get_mappings(self, agent: Mapping[str, Any]) -> Mapping[str, Sequence[str]]:
        """Physical networks, and what they are cabled to."""
        return reported.mappings_of(agent)

    def try_to_bind_segment_for_agent(
        self, context: Any, segment: Mapping[str, Any], agent: Mapping[str, Any]
    ) -> bool:
        """Bind the port, or say in the log why not; True if it is bound."""
        if not self.check_segment_for_agent(segment, agent) or not _fits(context.current):
            return False
        backing = self._backing(segment, agent)
        if backing is None:
            return False
        context.set_binding(segment[api.ID], backing.vif_type, self._details(backing, segment))
        return True

    def _backing(self, segment: Mapping[str, Any], agent: Mapping[str, Any]) -> Backing | None:
        physnet = segment[api.PHYSICAL_NETWORK]
        told = self.get_mappings(agent)[physnet]
        where = f"agent on {agent['host']}, physical network {physnet}"
        if not told:
            LOG.warning("%s: nothing is mapped; see the agent's log. The port is not bound", where)
            return None
        if len(told) > 1:
            LOG.warning("%s: several are mapped, the first is used: %s", where, told)
        try:
            return Backing.parse(told[0])
        except ValueError as error:
            LOG.warning("%s: %s; the port is not bound", where, error)
            return None

    def _details(self, backing: Backing, segment: Mapping[str, Any]) -> dict[str, Any]:
        """Made anew for each binding, so that a VLAN never shows in another port's."""
        details: dict[str, Any] = {**self.vif_details, **backing.vif_details}
        if segment[api.NETWORK_TYPE] == constants.TYPE_VLAN:
            details[VLAN] = segment[api.SEGMENTATION_ID]
        return details


def _fits(port: Mapping[str, Any]) -> bool:
    """Whether a NIC can be what the port is; else the server would boot and not be reached."""
    return _has_no_subports(port) and _has_local_mac(port)


def _has_no_subports(port: Mapping[str, Any]) -> bool:
    """Nothing would plug the subports of a trunk, and nobody would be told."""
    if not port.get(trunk_details.TRUNK_DETAILS):
        return True
    LOG.warning(
        "port %s is the parent of a trunk, which a partition's NIC cannot be; the port is not "
        "bound. Give the server a port in each VLAN's network instead",
        port.get("id"),
    )
    return False


def _has_local_mac(port: Mapping[str, Any]) -> bool:
    """An OSA card takes no other address."""
    mac = port.get("mac_address", "")
    if is_local_unicast(mac):
        return True
    LOG.warning(
        "port %s: MAC address %s is not locally administered and unicast (second digit 2, 6, a or "
        "e), which IBM Z's adapters demand; the port is not bound. See base_mac in neutron.conf",
        port.get("id"),
        mac,
    )
    return False
