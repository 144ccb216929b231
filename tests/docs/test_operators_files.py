"""What operators install: units that systemd accepts, samples that say what the code says."""

import importlib.util
import shutil
import subprocess
from pathlib import Path

import pytest

from firstlight import conf
from support import parts

ROOT = Path(__file__).resolve().parents[2]
AS_ROOT = "firstlight-ovnmeta.service"
UNITS = sorted((ROOT / "etc" / "systemd").glob("*.service"))


def load(path: Path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("service", ["agent", "broker", "metadata", "proxy", "vendordata"])
def test_the_sample_configuration_is_current(service, tmp_path):
    """`make samples` would change nothing."""
    written = load(ROOT / "tools" / "samples.py").write(service, tmp_path)
    committed = ROOT / "etc" / "firstlight" / written.name
    assert committed.read_text() == written.read_text(), "run `make samples` and commit"


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_systemd_accepts_the_unit(unit, tmp_path):
    """systemd-analyze verify finds nothing, once the command and the user exist."""
    analyze = parts.need("systemd-analyze")
    text = unit.read_text().replace("/usr/bin/firstlight", "/bin/true")
    lines = [line for line in text.splitlines() if not line.startswith("User=")]
    copy = tmp_path / unit.name
    copy.write_text("\n".join(lines))
    done = subprocess.run([analyze, "verify", "--man=no", copy], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_every_unit_has_a_user_of_its_own():
    """sysusers.d makes each user that a unit names, and no two units share one."""
    users = [setting(unit, "User") for unit in UNITS if unit.name != AS_ROOT]
    made = (ROOT / "etc" / "sysusers.d" / "firstlight.conf").read_text()
    assert len(set(users)) == len(UNITS) - 1
    assert all(f"u {user} " in made for user in users)


def test_the_one_that_is_root():
    """It may less than root, and what it mounts is seen by all."""
    unit = ROOT / "etc" / "systemd" / AS_ROOT
    assert setting(unit, "User") == "root"
    assert "CAP_SYS_ADMIN" in setting(unit, "CapabilityBoundingSet")
    own_mounts = ("Private", "Protect", "ReadOnly", "ReadWrite", "Inaccessible", "MountFlags")
    lines = [line for line in unit.read_text().splitlines() if line.startswith(own_mounts)]
    # These two filter calls and part the host's name; they mount nothing.
    assert lines == ["ProtectClock=yes", "ProtectHostname=yes"]


def setting(unit, name):
    """The value of a unit's one line of that name."""
    (line,) = (line for line in unit.read_text().splitlines() if line.startswith(f"{name}="))
    return line.partition("=")[2]


@pytest.mark.parametrize("service", ["metadata", "vendordata"])
def test_a_unit_may_write_its_state(service):
    """The usual state directory is one that systemd makes for this unit, and for no other."""
    name = Path(conf.load(service, environ={}).state_path).name
    made = [
        unit.stem for unit in UNITS if f"StateDirectory={name}" in unit.read_text().splitlines()
    ]
    assert made == [f"firstlight-{service}"]


def test_sysusers_are_accepted(tmp_path):
    """systemd-sysusers makes them in an empty root."""
    sysusers = parts.need("systemd-sysusers")
    shutil.copytree(ROOT / "etc" / "sysusers.d", tmp_path / "etc" / "sysusers.d")
    subprocess.run([sysusers, f"--root={tmp_path}"], check=True, capture_output=True)
    assert "firstlight-metadata" in (tmp_path / "etc" / "passwd").read_text()
