"""docs/write-a-provider.md is true: its provider passes its tests, and loads from its options."""

import re
import subprocess
import sys
from pathlib import Path

DOCUMENT = Path(__file__).parents[3] / "docs" / "write-a-provider.md"


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)


def test_the_walk_through_runs(tmp_path: Path) -> None:
    """The documented provider passes the documented tests, as a reader would run them."""
    provider, tests = blocks("python")
    (tmp_path / "test_mirror.py").write_text(provider + tests)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "error", "."],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "passed" in done.stdout


def test_the_walk_through_installs(tmp_path: Path) -> None:
    """With the documented entry point and options, the service loads the documented provider."""
    (provider, _), (entry_point,), (options,) = blocks("python"), blocks("toml"), blocks("ini")
    package = tmp_path / "my_package"
    package.mkdir()
    (package / "mirror.py").write_text(provider)
    information = tmp_path / "my_package-1.dist-info"
    information.mkdir()
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: my-package\nVersion: 1\n")
    name, target = re.search(r'^(\w+) = "(.*)"$', entry_point, re.MULTILINE).groups()  # type: ignore[union-attr]
    (information / "entry_points.txt").write_text(f"[firstlight.providers]\n{name} = {target}\n")
    (tmp_path / "v.conf").write_text(options.replace("project_info, ", ""))
    script = (
        "from firstlight.conf import load\n"
        "from firstlight.vendordata.clients import ConfiguredClients\n"
        "from firstlight.vendordata.loading import load_providers\n"
        "from firstlight.vendordata.testing import a_context\n"
        "conf = load('vendordata', ['v.conf'])\n"
        "providers = load_providers(conf, ConfiguredClients(conf))\n"
        "print(providers['mirror'].provide(a_context(metadata={'site': 'south'}))['mirror'])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.stdout == "http://mirror.south.example\n", done.stderr
