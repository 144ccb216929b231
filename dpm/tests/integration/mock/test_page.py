"""docs/dpm/hmc-mock.md, typed."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from firstlight_dpm.mock import MACHINES, serve
from support.parts import need

PAGE = (Path(__file__).resolve().parents[4] / "docs" / "dpm" / "hmc-mock.md").read_text()
COMMANDS = re.findall(r"^\$ (curl .*)$", PAGE, re.MULTILINE)
PROGRAMS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture
def port(tmp_path):
    """The page's mock, in the page's directory, on a free port."""
    (tmp_path / "hmc").mkdir()
    with serve("z13", tmp_path / "hmc") as served:
        yield served.port


def run(program: list[str], directory: Path) -> str:
    done = subprocess.run(program, cwd=directory, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.split("/mock/")[1][:30])
def test_a_command(command, port, tmp_path):
    """It succeeds, and the mock does not refuse it."""
    need("curl")
    line = command.replace("curl ", "curl --fail --show-error ").replace(":6794", f":{port}")
    run(["/bin/sh", "-c", line], tmp_path)


def test_the_client(port, tmp_path):
    """It prints what the page says."""
    program = PROGRAMS[0].replace('"openstack", verify', f'"openstack", port={port}, verify')
    assert run([sys.executable, "-c", program], tmp_path) == "active\n"


def test_in_a_test_of_your_own(tmp_path):
    """The context manager gives the options of [dpm]."""
    printed = run([sys.executable, "-c", PROGRAMS[1]], tmp_path)
    assert MACHINES["z17"].cpc in printed


def test_the_table_of_machines():
    """Every machine, with the versions that it says."""
    rows = re.findall(r"^\| `(z\d+)` \| ([\d.]+), ([\d.]+) \|", PAGE, re.MULTILINE)
    there = [(one.name, one.hmc_version, one.api_version) for one in MACHINES.values()]
    assert rows == there
