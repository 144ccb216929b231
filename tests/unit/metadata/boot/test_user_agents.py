"""Who is known to come back."""

import pytest

from firstlight.metadata.boot.user_agents import waits_out_503


@pytest.mark.parametrize(
    ("agent", "waits"),
    [
        ("Cloud-Init/25.1", True),
        ("Cloud-Init/25.1.4", True),
        ("Cloud-Init/26.2", True),
        ("Cloud-Init/100.0", True),
        ("Cloud-Init/25.0.9", False),
        ("Cloud-Init/24.4.1", False),
        ("Cloud-Init/22.4.2", False),
        ("Cloud-Init/251", False),
        ("Cloud-Init/25", False),
        ("Cloud-Init/25.x", False),
        ("cloudbase-init/1.1.6", False),
        ("Mozilla/5.0 Cloud-Init/26.2", False),
        ("Cloud-Init/99999999999.1", False),
        ("python-requests/2.32", False),
        ("", False),
        (None, False),
    ],
)
def test_user_agents(agent: str | None, waits: bool) -> None:
    """cloud-init since 25.1, and nobody else."""
    assert waits_out_503(agent) is waits
