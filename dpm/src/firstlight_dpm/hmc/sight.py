"""Whether the HMC sees the machine: asked by the list of machines, which every HMC has, cheaply."""

from firstlight_dpm.errors import Unreachable, attempting
from firstlight_dpm.hmc.session import Hmc

#: Statuses of a machine that the HMC sees, so that what it says of its partitions is so now.
UP = frozenset({"active", "service-required", "degraded", "exceptions"})


def check_in_sight(hmc: Hmc, attempt: str) -> None:
    """Raises Unreachable if the HMC does not see the machine, and what else an HMC may say."""
    with attempting(attempt):
        listed = {cpc.uri: cpc for cpc in hmc.client().cpcs.list()}
        machine = listed.get(hmc.cpc().uri)
        status = machine.get_property("status") if machine else None
    if status is None:
        raise Unreachable(attempt, "the HMC shows no such machine now; see [dpm] cpc_object_id")
    if status not in UP:
        raise Unreachable(attempt, f"the machine is {status}")
