"""The README's commands on a Debian with git, make and python3-venv, and nothing else.

FIRSTLIGHT_SOAK adds `make test` with all that it installs from Debian.
"""

import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from support.parts import absent, need

ROOT = Path(__file__).parents[2]
DOCUMENT = "http://127.0.0.1:16925/openstack/latest/meta_data.json"
PACKAGES = "git,make,python3-venv,ca-certificates"
# The last line of a run, and those of its tiers.
TOTAL = re.compile(r"^total: (\d+) passed, (\d+) failed, (\d+) skipped$", re.MULTILINE)


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """This machine's release of Debian, from its archive, in a folder."""
    mmdebstrap = need("mmdebstrap")
    if os.geteuid() != 0:
        absent("only root may mount an empty machine")
    home = tmp_path_factory.mktemp("empty")
    told = subprocess.run(["apt-config", "dump"], capture_output=True, text=True, check=True)
    settings = home / "apt.conf"
    settings.write_text(
        "\n".join(line for line in told.stdout.splitlines() if line.startswith("Acquire::"))
    )
    command = [mmdebstrap, "--variant=minbase", f"--include={PACKAGES}", f"--aptopt={settings}"]
    done = subprocess.run(
        [*command, release(), home / "root", archive()], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-3000:]
    yield home / "root"


def release() -> str:
    """Of Debian, such as bookworm."""
    lines = Path("/etc/os-release").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines)["VERSION_CODENAME"]


def archive() -> str:
    """Where this machine's apt has Debian's packages from."""
    asked = ["apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages"]
    told = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.split()
    return next(address for address in told if address.endswith("/debian/"))


def inside(empty: Path, *command: str) -> list[str]:
    """The words that run a command there."""
    return [str(ROOT / "tools" / "hermetic"), "--root", str(empty), *command]


def total(empty: Path, *command: str) -> tuple[int, int, int]:
    """Passed, failed, skipped, of a run that succeeds; nothing on a terminal, no CI."""
    environ = {name: value for name, value in os.environ.items() if name not in ("CI", "YES")}
    done = subprocess.run(
        inside(empty, *command),
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    print(done.stdout)
    assert done.returncode == 0
    passed, failed, skipped = map(int, TOTAL.findall(done.stdout)[-1])
    return passed, failed, skipped


def test_make_demo(empty: Path, tmp_path: Path) -> None:
    """It installs what is needed, and answers."""
    log = tmp_path / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(inside(empty, "make", "demo"), stdout=output, stderr=output)
    try:
        assert _answers(process, 600), log.read_text()[-3000:]
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def _answers(process: subprocess.Popen[bytes], seconds: float) -> bool:
    until = time.monotonic() + seconds
    while time.monotonic() < until and process.poll() is None:
        try:
            with urlopen(DOCUMENT, timeout=5) as answer:
                return bool(answer.status == 200)
        except URLError:
            time.sleep(0.5)
    return False


def test_make_check(empty: Path) -> None:
    """Without a compiler."""
    passed, failed, _skipped = total(empty, "make", "check")
    assert passed > 1000
    assert failed == 0


def test_make_test_without_servers(empty: Path) -> None:
    """No terminal, nobody's word: what needs a server skips, and all else is green."""
    passed, failed, skipped = total(empty, "make", "test")
    assert passed > 3000
    assert failed == 0
    assert skipped > 100


@pytest.mark.skipif("not os.environ.get('FIRSTLIGHT_SOAK')", reason="takes as long as make test")
def test_make_test_with_servers(empty: Path) -> None:
    """Given a word for it, it installs them, and nothing is skipped that Debian has."""
    passed, failed, _skipped = total(empty, "make", "test", "YES=1")
    assert passed > 5000
    assert failed == 0
