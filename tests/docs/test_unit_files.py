"""The shipped units: what systemd says of how much each of them may do."""

import subprocess
from pathlib import Path

import pytest

from support.parts import need

UNITS = Path(__file__).parents[2] / "etc" / "systemd"
# The most that `systemd-analyze security` may show, in tenths. Broker and ovnmeta work on the
# host's network namespaces; ovnmeta makes them, and has no mounts of its own.
MOST = {
    "firstlight-agent": 15,
    "firstlight-broker": 25,
    "firstlight-metadata": 15,
    "firstlight-ovnmeta": 47,
    "firstlight-proxy": 15,
    "firstlight-vendordata": 15,
}


def test_every_unit_has_a_bound() -> None:
    """A new unit is judged as well."""
    assert {path.stem for path in UNITS.glob("*.service")} == set(MOST)


@pytest.mark.parametrize("name", MOST)
def test_exposure(name: str) -> None:
    """A unit may do no more than it needs."""
    unit = UNITS / f"{name}.service"
    analyze = [need("systemd-analyze"), "security", "--offline=true", f"--threshold={MOST[name]}"]
    done = subprocess.run([*analyze, unit], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr


@pytest.mark.parametrize("name", MOST)
def test_no_core_is_written(name: str) -> None:
    """A core file would hold users' data and secrets."""
    assert "\nLimitCORE=0\n" in (UNITS / f"{name}.service").read_text()
