"""The tools as a guest has them: one file, on each Python that is here."""

import subprocess
import sys
from pathlib import Path

import pytest

from guest_tools.cloud_site import site  # noqa: F401  (a fixture)
from guest_tools.dpm_stub import Form, Stub, form_of
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


@pytest.fixture
def stub(tmp_path: Path) -> Stub:
    """With chzdev and ip, and the kernel's module for groups of channels."""
    made = Stub(tmp_path / "root")
    (made.root / "sys/bus/ccwgroup/devices").mkdir(parents=True)
    made.program("chzdev")
    made.program("ip")
    return made


@pytest.fixture(params=["python", "sh"])
def form(request: pytest.FixtureRequest, stub: Stub, guest: Guest) -> Form:
    """Either tool by its name, in Python and in shell."""
    return form_of(request.param, stub, guest)
