"""A served HMC of each generation."""

import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from firstlight_dpm.hmc import Hmc
from firstlight_dpm.mock import MACHINES, Served, serve
from plugging import login_of

with warnings.catch_warnings():  # Neutron's own, as it is imported
    warnings.simplefilter("ignore")
    import neutron.plugins.ml2.drivers.agent._common_agent  # noqa: F401  loaded first


@pytest.fixture(params=list(MACHINES))
def served(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Served]:
    """An HMC with a machine of each generation."""
    with serve(request.param, tmp_path) as served:
        yield served


@pytest.fixture
def z13(tmp_path: Path) -> Iterator[Served]:
    """An HMC where the generation makes no difference."""
    with serve("z13", tmp_path) as served:
        yield served


@pytest.fixture
def connect() -> Iterator[Callable[..., Hmc]]:
    """Makes consoles that are logged off in the end."""
    made: list[Hmc] = []

    def connected(served: Served, **more: Any) -> Hmc:
        made.append(Hmc(login_of(served, **more)))
        return made[-1]

    yield connected
    for hmc in made:
        hmc.close()
