"""``firstlight vendordata`` as a process, with providers of the tests' own installed beside it.

A conftest.py takes the fixtures by importing them, see tests/support/servers/databases.py.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import requests

from support.servers.databases import free_port

HERE = Path(__file__).parent
_ENTRY_POINTS = """\
[firstlight.providers]
echo = odd_providers:Echo
failing = odd_providers:Failing
slow = odd_providers:Slow
silent = odd_providers:Silent
hung = odd_providers:Hung
broken = no_such_module:Broken
number = odd_providers:NOT_A_PROVIDER
"""
_PATIENCE = 90  # seconds for the service to come up on a busy machine
BODY = {"project-id": "p1", "instance-id": "i1", "hostname": "web-1", "boot-roles": "member,reader"}


@dataclass
class Service:
    """A running service, and what it has logged."""

    url: str
    status: str
    log: Path
    process: subprocess.Popen[bytes]
    session: requests.Session = field(default_factory=requests.Session)

    def post(self, path: str, json: Any = BODY, **more: Any) -> requests.Response:
        return self.session.post(self.url + path, json=json, timeout=20, **more)

    def stop(self) -> int:
        self.session.close()
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(20)


Serve = Callable[..., Service]


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory that makes the odd providers installed when it is on the path."""
    directory = tmp_path_factory.mktemp("installed")
    (directory / "odd_providers.py").write_text((HERE / "odd_providers.py").read_text())
    information = directory / "odd_providers-1.dist-info"
    information.mkdir()
    (information / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: odd-providers\nVersion: 1\n"
    )
    (information / "entry_points.txt").write_text(_ENTRY_POINTS)
    return directory


@pytest.fixture(scope="session")
def command(installed: Path) -> Callable[..., subprocess.Popen[bytes]]:
    """Start ``firstlight vendordata`` with a configuration; it logs to the file given."""

    def start(conf: Path, log: Path, *arguments: str) -> subprocess.Popen[bytes]:
        script = "import sys; from firstlight.cli import main; sys.exit(main())"
        with log.open("wb") as output:
            return subprocess.Popen(
                [sys.executable, "-c", script, "vendordata", "--config-file", conf, *arguments],
                stdout=output,
                stderr=output,
                env=os.environ | {"PYTHONPATH": str(installed)},
            )

    return start


@pytest.fixture(scope="module")
def serve(
    tmp_path_factory: pytest.TempPathFactory, command: Callable[..., subprocess.Popen[bytes]]
) -> Iterator[Serve]:
    """Serve with these options; all that were started end with the module."""
    started: list[Service] = []

    def start(default: str, more: str = "", *, deadline: float = 4.5) -> Service:
        directory = tmp_path_factory.mktemp("vendordata")
        port, status = free_port(), free_port()
        conf = directory / "vendordata.conf"
        conf.write_text(
            f"[DEFAULT]\n{default}\n[firstlight]\nstatus_port = {status}\n"
            f"provider_deadline = {deadline}\n{more}\n"
        )
        log = directory / "log"
        process = command(conf, log, "--listen", "127.0.0.1", "--port", str(port))
        base = "http://127.0.0.1:"
        service = Service(f"{base}{port}", f"{base}{status}", log, process)
        started.append(service)
        wait_for(service)
        return service

    yield start
    for service in started:
        if service.process.poll() is None:
            service.stop()


def wait_for(service: Service) -> None:
    """Until it answers.

    Raises:
        AssertionError: it ended, or takes too long.
    """
    until = time.monotonic() + _PATIENCE
    while time.monotonic() < until and service.process.poll() is None:
        try:
            if requests.get(f"{service.status}/healthz", timeout=2).ok:
                return
        except (requests.ConnectionError, requests.Timeout):
            time.sleep(0.05)
    raise AssertionError(service.log.read_text())
