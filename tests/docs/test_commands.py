"""What the documents tell people to type, typed: every ``console`` block runs and succeeds."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from support.parts import need

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
FOREIGN = ("isoinfo", "mdir")  # not on every machine
BLOCK = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)


def commands(page: Path) -> list[str]:
    """The lines after a ``$``, with their continuations."""
    lines = [line for block in BLOCK.findall(page.read_text()) for line in block.splitlines()]
    return [line.removeprefix("$ ") for line in lines if line.startswith("$ ")]


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """The demo as `make demo` runs it; the documents' addresses are its usual ones."""
    directory = tmp_path_factory.mktemp("demo")
    with (directory / "out").open("w") as log:
        process = subprocess.Popen(
            [Path(sys.executable).parent / "firstlight", "demo", "--directory", directory],
            stdout=log,
            stderr=log,
        )
    try:
        wait_for("http://127.0.0.1:16928/readyz", process)
        yield directory
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0


def wait_for(url: str, process: subprocess.Popen) -> None:
    for _ in range(200):
        assert process.poll() is None, "the demo ended; is a port of 16925 to 16928 taken?"
        try:
            with urlopen(url, timeout=2):
                return
        except OSError:
            time.sleep(0.1)
    pytest.fail(f"nothing answers at {url}")


def type_in(line: str, directory: Path) -> subprocess.CompletedProcess:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environ = os.environ | {
        "PATH": path,
        "FIRSTLIGHT_CONFIG_FILES": str(directory / "metadata.conf"),
    }
    line = line.replace("curl ", "curl --fail --silent --show-error ")
    return subprocess.run(
        line, shell=True, cwd=directory, env=environ, capture_output=True, text=True, timeout=60
    )


def in_the_clone(line: str) -> subprocess.CompletedProcess:
    """What is typed by who changes Firstlight, who stands there."""
    return subprocess.run(line, shell=True, cwd=ROOT, capture_output=True, text=True, timeout=120)


@pytest.mark.parametrize(
    "line", [pytest.param(c, id=f"{p.name}: {c[:60]}") for p in PAGES for c in commands(p)]
)
def test_a_documented_command_works(line, demo):
    """It exits with 0 and says something."""
    if (program := line.split()[0]) in FOREIGN:
        need(program)
    done = in_the_clone(line) if program.startswith(".venv/") else type_in(line, demo)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.strip()


def test_the_demo_prints_what_works(demo):
    """Every curl and firstlight line that the demo prints works as printed."""
    printed = [line.strip() for line in (demo / "out").read_text().splitlines()]
    lines = [
        line
        for line in printed
        if line.startswith("curl ") or " instance " in line or " show " in line
    ]
    assert len(lines) >= 6
    for line in lines:
        done = type_in(line, demo)
        assert (done.returncode, done.stderr) == (0, ""), line


@pytest.mark.parametrize(
    ("port", "path", "status"),
    [(16925, "openstack/latest/password", 400), (16926, "openstack", 400), (16927, "x", 404)],
    ids=["front", "metadata", "vendordata"],
)
def test_the_demo_bounds_bodies_as_the_services_do(demo, port, path, status):
    """A guest's body is bounded as the metadata service's is; Nova sends the other larger ones."""
    with pytest.raises(HTTPError) as refused:
        urlopen(f"http://127.0.0.1:{port}/{path}", data=b"x" * (64 * 1024 + 1), timeout=10)
    with refused.value as error:
        assert error.status == status
        assert (b"body is too large" in error.read()) == (status == 400)


def test_why_asks_the_running_service(demo):
    """`show --why`, as the page about vendor data has it, tells what guests are shown now."""
    done = type_in("firstlight show web-1 --why", demo)
    assert "\nservice: process " in done.stdout


def test_a_change_shows_in_the_next_answer(demo):
    """`instance update`, as the demo suggests it, reaches the guest."""
    type_in("firstlight instance update web-1 --metadata role=db", demo)
    for _ in range(50):
        with urlopen("http://127.0.0.1:16925/openstack/latest/meta_data.json") as answer:
            if b'"role": "db"' in answer.read():
                return
        time.sleep(0.1)
    pytest.fail("the change did not reach the guest within five seconds")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    """A relative link in a document names a file that exists."""
    for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
        assert (page.parent / target).exists(), target


def test_the_second_answer_is_live(demo):
    """As README, screen and configuration say: a change of the rules is in the next answer."""
    rules = demo / "static_map.yaml"
    before = rules.read_text()
    assert "site: demo" in before
    try:
        for site in ("first", "second"):
            rules.write_text(before.replace("site: demo", f"site: {site}"))
            with urlopen("http://127.0.0.1:16925/openstack/latest/vendor_data2.json") as answer:
                assert json.load(answer)["site"]["site"] == site
    finally:
        rules.write_text(before)
