"""What the tests need of the machine: absent parts skip aloud, and fail where CI promised them."""

import os
import shutil
from typing import NoReturn

import pytest


def absent(reason: str) -> NoReturn:
    """Skip the test, saying why; fail it if ``CI=true``."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"promised in CI but absent: {reason}", pytrace=False)
    pytest.skip(reason)


def need(program: str) -> str:
    """The path of an executable; without it the test is skipped or fails, see :func:`absent`."""
    path = shutil.which(program)
    if path is None:
        absent(f"{program} is not installed")
    return path
