"""The attacks, on the oldest releases that our bounds allow of what strangers' bytes reach."""

import hashlib
import os
import re
import subprocess
import sys
import tempfile
import tomllib
from contextlib import suppress
from itertools import chain
from pathlib import Path

import pytest

from support.parts import absent

ROOT = Path(__file__).resolve().parents[3]
# What parses the bytes of a guest, of a target, or of a caller of the vendordata service.
FACING = {
    *("httptools", "uvloop", "requests", "urllib3", "keystoneauth1", "msgspec", "PyYAML"),
    *("falcon", "WebOb"),
}
ATTACKS = (
    "tests/unit/httpd/protocol/test_parser.py",
    "tests/unit/vendordata_client/calls/test_content_coding.py",
    "tests/unit/vendordata_client/calls/test_reply.py",
    "tests/integration/httpd/test_strangers.py",
    "tests/integration/vendordata_client/test_rows.py",
    "tests/integration/vendordata_client/test_redirects.py",
    "tests/unit/vendordata/http/test_request_body.py",
    "tests/integration/vendordata/test_who_reads_secrets.py",
    "tests/integration/vendordata/test_largest_question.py",
)
# `firstlight check` asks for itself, and old clients leave closing to the garbage collector.
_ATTACKED = "not test_check"
# What old releases say when new ones are beside them.
IGNORED = ("ignore::DeprecationWarning", "ignore::ImportWarning", "ignore:urllib3")
_BOUND = re.compile(r"([A-Za-z0-9_-]+)(?:\[.*\])?>=([0-9.]+)")


def lowest() -> dict[str, str]:
    """By name, the lower bound of each library that is in FACING."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    listed = chain(project["dependencies"], *project["optional-dependencies"].values())
    bounds = [match for each in listed if (match := _BOUND.match(each))]
    return {match[1]: match[2] for match in bounds if match[1] in FACING}


@pytest.fixture(scope="module")
def floor() -> Path:
    """A directory to put before the others; kept outside the clone, named for what is in it."""
    pinned = sorted(f"{name}=={version}" for name, version in lowest().items())
    key = hashlib.sha256(" ".join([sys.version, *pinned]).encode()).hexdigest()[:16]
    cache = Path(os.environ.get("FIRSTLIGHT_CACHE") or Path.home() / ".cache" / "firstlight")
    made = cache / f"floor-{key}"
    if not made.exists():
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as directory:
            _install(pinned, directory)
            with suppress(OSError):  # somebody else was faster
                Path(directory, "in").rename(made)
    return made


def _install(pinned: list[str], directory: str) -> None:
    quietly = ("--quiet", "--disable-pip-version-check", "--no-deps")
    pip = [sys.executable, "-m", "pip", "install", *quietly, "--target", f"{directory}/in"]
    done = subprocess.run([*pip, *pinned], capture_output=True, text=True)
    if done.returncode != 0:
        absent(f"{' '.join(pinned)}: {done.stderr[-500:]}")


def test_every_one_has_a_bound() -> None:
    """Each of them is in pyproject.toml, with the lowest release that is allowed."""
    assert lowest().keys() == FACING


def test_attacks_on_the_oldest(floor: Path) -> None:
    """What our bounds let an operator keep survives what the newest survive."""
    program = (
        "import importlib.metadata as m, sys, pytest; names = sys.argv[1].split(',');"
        "print(*(f'{name}=={m.version(name)}' for name in names));"
        "sys.exit(pytest.main(sys.argv[2:]))"
    )
    options = [f"-W{each}" for each in IGNORED]
    done = subprocess.run(
        [
            *(sys.executable, "-c", program, ",".join(sorted(FACING))),
            *("-q", "-p", "no:cacheprovider", "-k", _ATTACKED, *options, *ATTACKS),
        ],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(floor), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-2000:]
    for name, version in lowest().items():
        assert re.search(rf"^(.* )?{name}=={re.escape(version)}[ .\n]", done.stdout, re.MULTILINE)
