"""Modules of the tests that are run as programs, in another process than pytest's."""

import sys
from pathlib import Path

_TESTS = Path(__file__).parents[1]


def program(module: str) -> list[str]:
    """The command that runs this module, which may import what is in tests/."""
    return ["env", f"PYTHONPATH={_TESTS}", sys.executable, "-m", module]
