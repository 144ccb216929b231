"""A served HMC of each generation, and zhmcclient as anybody would use it."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from firstlight_dpm.mock import serve
from served_hmc import Someone


@pytest.fixture
def someone(tmp_path: Path) -> Iterator[Callable[..., Someone]]:
    """Serves a machine and logs on."""
    ended: list[Any] = []

    def log_on(machine: str, **more: Any) -> Someone:
        serving = serve(machine, tmp_path, **more)
        known = Someone(serving.__enter__())
        ended.append((known, serving))
        return known

    yield log_on
    for known, serving in ended:
        known.served.console.faults.clear()
        known.session.logoff()
        serving.__exit__(None, None, None)
