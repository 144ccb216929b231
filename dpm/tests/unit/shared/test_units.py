"""The units for several pairs on one node: accepted by systemd, and each pair on its own."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from support.parts import need

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


READ = """
import sys
from nova import config
from firstlight_dpm import options
options.register_compute(config.CONF)
config.parse_args(sys.argv[1:])
print(config.CONF.dpm.max_processors, config.CONF.dpm.max_memory, config.CONF.config_file)
print(*config.CONF.dpm.physical_storage_adapter_mappings)
"""


def test_a_section_may_be_in_a_file_of_its_own(tmp_path):
    """Real Nova, started as the unit says, reads nova_dpm.conf after nova.conf, if there is one."""
    unit = (ETC / "systemd" / "nova-compute-dpm@.service").read_text().replace("%i", "subset1")
    (command,) = re.findall("^ExecStart=(.*)$", unit, re.MULTILINE)
    (directory,) = re.findall("^ConfigurationDirectory=(.*)$", unit, re.MULTILINE)
    (tmp_path / "etc" / directory).mkdir(parents=True)
    file = tmp_path / "etc" / "nova" / "subset1" / "nova.conf"
    one, other = f"{'a' * 8}-1111-1111-1111-{'a' * 12}:0", f"{'b' * 8}-1111-1111-1111-{'b' * 12}:1"
    mapping = "physical_storage_adapter_mappings"
    file.write_text(f"[dpm]\nmax_processors = 3\nmax_memory = 1024\n{mapping} = {one}\n")

    def read() -> list[str]:
        words = command.replace("/etc/", f"{tmp_path}/etc/").split()
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", READ, *words],
            env=os.environ | {"OS_NOVA_DISABLE_EVENTLET_PATCHING": "1"},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()

    assert read() == [f"3 1024 ['{file}']", one]
    own = tmp_path / "etc" / directory / "nova_dpm.conf"
    own.write_text(f"[dpm]\nmax_memory = 4096\n{mapping} = {other}\n")
    assert read() == [f"3 4096 ['{file}']", f"{one} {other}"]
