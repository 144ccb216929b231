"""The tools as a guest has them: one file, on each Python that is here."""

import subprocess
import sys
from pathlib import Path

import pytest

from guest_tools.pythons import ROOT, Guest, everywhere, usual, version_of


@pytest.fixture(scope="session")
def zipapp(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The zipapp, made as `make guest` makes it; elements are beside it."""
    directory = tmp_path_factory.mktemp("dist")
    maker = [sys.executable, ROOT / "guest" / "make_zipapp.py", directory]
    subprocess.run(maker, check=True, capture_output=True)
    return directory / "firstlight-guest.pyz"


@pytest.fixture(scope="session", params=usual(), ids=version_of)
def guest(request: pytest.FixtureRequest, zipapp: Path) -> Guest:
    """The command, on the Python that runs the tests; FIRSTLIGHT_SOAK: on all that are here."""
    return Guest(request.param, zipapp)


@pytest.fixture(scope="session", params=everywhere(), ids=version_of)
def each_guest(request: pytest.FixtureRequest, zipapp: Path) -> Guest:
    """The command, on every Python that is here."""
    return Guest(request.param, zipapp)
