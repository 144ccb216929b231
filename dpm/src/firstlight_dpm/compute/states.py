"""A partition's status on the HMC, and Nova's power state: one table."""

from nova.compute import power_state

#: Statuses in which the partition's operating system runs.
RUNNING = frozenset({"active", "degraded", "reservation-error"})
#: Statuses that a partition leaves by itself.
PASSING = frozenset({"starting", "stopping"})
#: Statuses in which it has ended, but must be stopped before it can be started.
ENDED = frozenset({"paused", "terminated"})
STOPPED = "stopped"

# Nova stops a server that it believes stopped, but sees RUNNING or PAUSED; that may not happen to
# one that only passes through a status, so those are NOSTATE, of which Nova makes nothing.
_POWER_STATES = {
    **dict.fromkeys(RUNNING, power_state.RUNNING),
    STOPPED: power_state.SHUTDOWN,
    # The processors are stopped: the guest is in a disabled wait, or has crashed.
    **dict.fromkeys(ENDED, power_state.CRASHED),
}


def power_state_of(status: str | None) -> int:
    """Nova's power state; NOSTATE where the status does not tell."""
    return _POWER_STATES.get((status or "").lower(), power_state.NOSTATE)
