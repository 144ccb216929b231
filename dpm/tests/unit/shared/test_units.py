"""The units for several pairs on one node: accepted by systemd, and each pair on its own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from parts import need

ETC = Path(__file__).resolve().parents[4] / "dpm" / "etc"
UNITS = sorted((ETC / "systemd").glob("*.service"))


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_systemd_accepts_the_unit(unit, tmp_path):
    """systemd-analyze verify finds nothing, once the program and the user exist."""
    analyze = need("systemd-analyze")
    lines = unit.read_text().splitlines()
    known = [
        "ExecStart=/bin/true" if line.startswith("ExecStart=") else line
        for line in lines
        if not line.startswith("User=")
    ]
    copy = tmp_path / unit.name.replace("@", "@subset_1")
    copy.write_text("\n".join(known))
    done = subprocess.run([analyze, "verify", "--man=no", copy], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


PRINT = """
from {project} import config
config.{start}(["x", "--config-file", {file!r}][{skip}:])
from oslo_config import cfg
print(cfg.CONF.host, cfg.CONF.state_path)
"""


def environment_of(unit: Path, subset: str) -> dict[str, str]:
    lines = unit.read_text().replace("%i", subset).replace("%S", "/var/lib").splitlines()
    said = [line.removeprefix("Environment=") for line in lines if line.startswith("Environment=")]
    return dict(line.split("=", 1) for line in said)


@pytest.mark.parametrize(
    ("unit", "start"),
    [
        ("nova-compute-dpm@", ("nova", "parse_args", 0)),
        ("neutron-dpm-agent@", ("neutron.common", "init", 1)),
    ],
)
def test_a_unit_says_which_subset_it_is(unit, start, tmp_path):
    """Real Nova and real Neutron take host and state_path from it, whatever the file says."""
    file = tmp_path / "service.conf"
    file.write_text("[DEFAULT]\nhost = another\nstate_path = /elsewhere\n")
    project, function, skip = start
    program = PRINT.format(project=project, start=function, file=str(file), skip=skip)
    if project.startswith("neutron"):
        program = program.replace(
            "config.init", "config.register_common_config_options()\nconfig.init"
        )
    environ = os.environ | environment_of(ETC / "systemd" / f"{unit}.service", "subset1")
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program],
        env=environ | {"OS_NOVA_DISABLE_EVENTLET_PATCHING": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    state = "nova" if project == "nova" else "neutron"
    assert done.stdout.split()[-2:] == ["subset1", f"/var/lib/{state}/subset1"]
