"""The agent's ``configurations``: the agent writes them, the ML2 driver reads them."""

from collections.abc import Mapping, Sequence
from typing import Any

from firstlight_dpm.backing import Backing

#: Neutron's name for our agents; it decides which of them may bind a port.
AGENT_TYPE = "DPM agent"
AGENT_BINARY = "neutron-dpm-agent"

#: {physical network: [backing, as text]}; a list, because networking-dpm reported one.
MAPPINGS = "adapter_mappings"
#: Whether the machine can put a NIC into a VLAN; what does not say so cannot.
NIC_VLAN = "nic_vlan"


def configurations(mapped: Mapping[str, Backing], *, nic_vlan: bool) -> dict[str, Any]:
    """What an agent reports."""
    mappings = {physnet: [str(backing)] for physnet, backing in mapped.items()}
    return {MAPPINGS: mappings, NIC_VLAN: nic_vlan}


def mappings_of(agent: Mapping[str, Any]) -> Mapping[str, Sequence[str]]:
    """What `agent`, as Neutron's database has it, maps."""
    mappings: Mapping[str, Sequence[str]] = agent["configurations"].get(MAPPINGS, {})
    return mappings


def can_vlan(agent: Mapping[str, Any]) -> bool:
    """Whether its machine can put a NIC into a VLAN."""
    return agent["configurations"].get(NIC_VLAN) is True
