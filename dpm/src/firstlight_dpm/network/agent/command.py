"""The command ``neutron-dpm-agent``, which firstlight-dpm also puts where there is no Neutron."""

import sys

_MISSING = (
    "neutron-dpm-agent needs Neutron, which is not in this environment: install firstlight-dpm "
    "into Neutron's\n"
)


def main() -> int:
    """Run the agent; returns the exit code, 2 if Neutron is missing."""
    try:
        from firstlight_dpm.network.agent import main as agent
    except ModuleNotFoundError as error:
        if error.name != "neutron":
            raise
        sys.stderr.write(_MISSING)
        return 2
    return agent.main()
