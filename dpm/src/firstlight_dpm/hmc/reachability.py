"""Whether the HMC sees the machine: asked by the list of machines, which every HMC has, cheaply."""

from firstlight_dpm.errors import MachineDown, NotShown, attempting
from firstlight_dpm.hmc.session import Hmc

#: Statuses of a machine that the HMC sees, so that what it says of its partitions is so now.
UP = frozenset({"active", "service-required", "degraded", "exceptions"})


def check_reachable(hmc: Hmc, attempt: str) -> None:
    """Raises NotShown or MachineDown if the HMC does not see the machine; else what it says."""
    with attempting(attempt):
        listed = {cpc.uri: cpc for cpc in hmc.client().cpcs.list()}
        machine = listed.get(hmc.cpc().uri)
        status = machine.get_property("status") if machine else None
    if status is None:
        raise NotShown(attempt, "the HMC shows no such machine")
    if status not in UP:
        raise MachineDown(attempt, f"the machine is {status}")
