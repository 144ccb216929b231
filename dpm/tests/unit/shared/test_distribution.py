"""What an operator installs: the package, the shim beside Nova, samples that are current."""

import importlib.util
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[4]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The files in the wheel, built from a copy."""
    directory = tmp_path_factory.mktemp("wheel")
    copy = directory / "dpm"
    ignored = shutil.ignore_patterns("tests", "build", "__pycache__", "*.egg-info")
    shutil.copytree(ROOT / "dpm", copy, ignore=ignored)
    build = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "--quiet"]
    subprocess.run([*build, "--wheel-dir", directory, copy], check=True, capture_output=True)
    (built,) = directory.glob("*.whl")
    return zipfile.ZipFile(built).namelist()


def test_the_wheel_puts_the_shim_beside_nova(wheel):
    """Two files below nova/virt/dpm, nothing else of Nova's, and no .pth."""
    assert [name for name in wheel if name.startswith("nova/")] == [
        "nova/virt/dpm/__init__.py",
        "nova/virt/dpm/driver.py",
    ]
    assert not [name for name in wheel if name.endswith(".pth")]


def test_the_wheel_has_every_module(wheel):
    """All packages, also those that were added since somebody listed them."""
    source = ROOT / "dpm" / "src"
    modules = {str(path.relative_to(source)) for path in source.rglob("*.py")}
    assert modules <= set(wheel)


@pytest.mark.parametrize("name", ["nova_dpm", "networking_dpm"])
def test_the_sample_configuration_is_current(name, tmp_path):
    """`make samples` would change nothing, and the old namespaces give it."""
    spec = importlib.util.spec_from_file_location("samples", ROOT / "tools" / "samples.py")
    assert spec
    assert spec.loader
    samples = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(samples)
    written = samples.write(name, tmp_path)
    committed = ROOT / "dpm" / "etc" / written.name
    assert committed.read_text() == written.read_text(), "run `make samples` and commit"
    assert f"# From {name}" in written.read_text()


LOAD = """
from importlib.metadata import distribution
for one in distribution("firstlight-dpm").entry_points:
    if one.group != "firstlight.providers":  # its contract is firstlight's, which is not here
        one.load()
        print(one.name)
"""


def test_entry_points_load():
    """Every name that this distribution registers is there, for a process that has nothing yet."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", LOAD], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert {"nova_dpm", "networking_dpm", "dpm"} <= set(done.stdout.split())
