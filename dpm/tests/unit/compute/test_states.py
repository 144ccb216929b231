"""What Nova sees of a partition's status."""

import pytest
from nova.compute import power_state

from firstlight_dpm.compute.states import power_state_of


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("active", power_state.RUNNING),
        ("Active", power_state.RUNNING),
        ("degraded", power_state.RUNNING),
        ("reservation-error", power_state.RUNNING),
        ("stopped", power_state.SHUTDOWN),
        ("paused", power_state.CRASHED),
        ("terminated", power_state.CRASHED),
        # Nova stops a server that it holds for stopped but sees running or paused.
        ("starting", power_state.NOSTATE),
        ("stopping", power_state.NOSTATE),
        ("status-check", power_state.NOSTATE),
        ("communications-not-active", power_state.NOSTATE),
        ("something-new", power_state.NOSTATE),
        (None, power_state.NOSTATE),
    ],
)
def test_power_state(status: str | None, expected: int):
    """Each status has one power state, and what is not known has none."""
    assert power_state_of(status) == expected
