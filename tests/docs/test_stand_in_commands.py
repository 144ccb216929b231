"""docs/replace-nova-pollinate.md: every ``sh`` block runs, where /etc is the test's."""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.cloud.http_api import stand_in
from support.parts import need
from support.providers import pollinate_cases as cases
from support.providers.pollinate_service import PATIENCE, answers_at, ini
from support.servers.databases import eventually, free_port

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
PAGE = (ROOT / "docs" / "replace-nova-pollinate.md").read_text()
BLOCKS = [
    re.sub(r"^ +", "", block, flags=re.MULTILINE)
    for block in re.findall(r"^ *```sh\n(.*?)^ *```", PAGE, re.MULTILINE | re.DOTALL)
]
DROP_INS = sorted((ROOT / "etc/systemd/firstlight-vendordata.service.d").glob("*.sample"))


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A directory with both files below its ``etc``, and a copy of what is installed."""
    place = tmp_path_factory.mktemp("place")
    status = {"firstlight": {"status_port": 0}}
    pollinate = {"DEFAULT": {"providers": "motd"}, "service_auth": cases.SERVICE_AUTH, **status}
    with stand_in({"/v2.0/ports": {"ports": []}}) as neutron:
        asked = {"auth_type": "none", "endpoint_override": neutron.url}
        write(place / "etc/nova-pollinate/nova-pollinate.conf", ini(pollinate))
        name = "etc/pcss-vendor-metadata/pcss-vendor-metadata.ini"
        write(place / name, ini({"neutron": asked, **status}))
        (place / "installed").mkdir()
        cases.install(place / "installed")
        yield place


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True)
    path.write_text(text)


def test_blocks_in_order(place: Path) -> None:
    """Services start, curl is answered, distributions are built and installed, options are told."""
    need("curl")
    for name in ("src", "compat"):
        shutil.copytree(ROOT / name, place / name, ignore=shutil.ignore_patterns("*.egg-info"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, place)
    ports = {"8613": str(free_port()), "9091": str(free_port())}
    said: list[str] = []
    started: list[subprocess.Popen[str]] = []
    try:
        for block in BLOCKS:
            text = here(block, place, ports)
            if block.rstrip().endswith("&"):
                started.append(background(text, place))
                port = ports[text_port(block)]
                assert eventually(
                    lambda port=port: answers_at(f"http://127.0.0.1:{port}"), PATIENCE
                )
            else:
                said.append(run(text, place))
    finally:
        for process in started:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(20)
    assert [len(started), len(said)] == [2, 4]
    assert said[0].startswith("OK")
    assert '"motd":{"text":"hello"}' in said[0]
    assert (place / "there" / "pollinate" / "wsgi.py").exists()
    assert (place / "there" / "bin" / "pcss-vendor-metadata-svc").exists()
    assert (place / "there" / "bin" / "pollinate").exists()
    assert said[2] == "{}"
    assert "#request_timeout = 45" in said[3]


def text_port(block: str) -> str:
    found = re.search(r"--port (\d+)", block)
    assert found
    return found[1]


def here(block: str, place: Path, ports: dict[str, str]) -> str:
    """The block, for this machine."""
    for port, free in ports.items():
        block = block.replace(port, free)
    install = f"pip install --quiet --no-deps --no-build-isolation --target {place}/there"
    return block.replace("/etc/", f"{place}/etc/").replace("pip install", install)


def environ(place: Path) -> dict[str, str]:
    paths = {"PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}
    return os.environ | paths | {"PYTHONPATH": str(place / "installed")}


def background(text: str, place: Path) -> subprocess.Popen[str]:
    """A group of processes, to be ended as one."""
    return subprocess.Popen(
        ["bash", "-ec", f"{text.rstrip().removesuffix('&')}"],
        cwd=place,
        env=environ(place),
        start_new_session=True,
        text=True,
    )


def run(text: str, place: Path) -> str:
    quiet = text.replace("curl ", "curl --fail --silent --show-error ")
    done = subprocess.run(
        ["bash", "-ec", quiet], cwd=place, env=environ(place), capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("drop_in", DROP_INS, ids=lambda path: path.name)
def test_systemd_accepts_the_drop_ins(drop_in: Path, tmp_path: Path) -> None:
    """The unit with a drop-in starts one command, that of the drop-in."""
    analyze = need("systemd-analyze")
    unit = tmp_path / "firstlight-vendordata.service"
    for source, target in (
        (ROOT / "etc/systemd" / unit.name, unit),
        (drop_in, tmp_path / f"{unit.name}.d" / drop_in.stem),
    ):
        target.parent.mkdir(exist_ok=True)
        text = source.read_text().replace("/usr/bin/firstlight", "/bin/true")
        lines = [line for line in text.splitlines() if not line.startswith("User=")]
        target.write_text("\n".join(lines))
    done = subprocess.run([analyze, "verify", "--man=no", unit], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    commands = re.findall(r"^ExecStart=(.*)$", drop_in.read_text(), re.MULTILINE)
    assert commands[0] == ""
    assert len(commands) == 2
