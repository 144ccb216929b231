"""The shipped units under a real systemd: what a guest asks is answered, whatever happens to us."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from crowd import crowd
from firstlight.sources.store import Store
from relaying import NETWORK
from servers import eventually
from store_samples import interface, server
from systemd_host import ROOT, SystemdHost

PATIENCE = 90  # seconds for a process to start or end on a busy machine
UNIT = "firstlight-metadata"
LOOPBACK = "127.0.0.1"
SLOW = 9099
CODE = ROOT / "src" / "firstlight"

METADATA = f"""\
[DEFAULT]
metadata_listen = 169.254.169.254
metadata_listen_port = 80
metadata_workers = {{workers}}
[api]
vendordata_providers = DynamicJSON
vendordata_dynamic_targets = slow@http://{LOOPBACK}:{SLOW}/
[vendordata_target:slow]
ttl = 0
[store]
connection = sqlite:////var/lib/firstlight/store.sqlite
"""
# Answers two seconds after it was asked.
TARGET = f"""
import http.server, time
class Slow(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        print("asked", flush=True)
        time.sleep(2)
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(b'{{"answer": "at last"}}')
http.server.ThreadingHTTPServer(("{LOOPBACK}", {SLOW}), Slow).serve_forever()
"""


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SystemdHost]:
    """A machine with the units, and a store in which it is itself a server."""
    home = tmp_path_factory.mktemp("systemd")
    store = Store.open(f"sqlite:///{home}/store.sqlite")
    store.prepare()
    store.add(server(1, interfaces=(interface(LOOPBACK, "127.0.0.0/8", NETWORK),)))
    store.close()
    with SystemdHost(home) as booted:
        state = booted.root("/var/lib/firstlight/store.sqlite")
        state.parent.mkdir(parents=True, exist_ok=True)
        state.write_bytes((home / "store.sqlite").read_bytes())
        yield booted


@pytest.fixture(params=[1, 2], ids=["one worker", "two workers"])
def service(host: SystemdHost, request: pytest.FixtureRequest) -> Iterator[SystemdHost]:
    """The metadata service, started as it is shipped."""
    host.write("/etc/firstlight/metadata.conf", METADATA.format(workers=request.param))
    host.systemctl("start", UNIT)
    try:
        yield host
    finally:
        host.systemctl("stop", UNIT)
        assert host.show(UNIT, "Result") == "success", host.journal()


def main(host: SystemdHost) -> tuple[int, int]:
    """The unit's main process, and how often systemd has started it again."""
    return int(host.show(UNIT, "MainPID")), int(host.show(UNIT, "NRestarts"))


def reloaded(host: SystemdHost, before: int) -> int:
    """Reload, and wait until another process serves and the one before has ended; its id."""
    host.systemctl("reload", UNIT)
    assert eventually(lambda: replaced(host, before), PATIENCE), host.journal()
    return host.worker(UNIT)


def replaced(host: SystemdHost, before: int) -> bool:
    """Whether one process serves, and it is another."""
    pid, _ = main(host)
    below = [each for each, parent in host.processes(UNIT).items() if parent == pid]
    return len(below) == 1 and below != [before] and host.show(UNIT, "SubState") == "running"


def test_five_reloads(service: SystemdHost) -> None:
    """Guests that ask all the time are all answered; the main process stays the same one."""
    before, worker = main(service), service.worker(UNIT)
    with crowd(service, [LOOPBACK], "/openstack") as guests:
        for _ in range(5):
            worker = reloaded(service, worker)
            assert main(service) == before
        told = guests.answers()
    assert_all_answered(told[LOOPBACK], service)
    assert "not our child" not in service.journal()


def assert_all_answered(told: dict[str, int], host: SystemdHost) -> None:
    """Every answer is the same, a list of versions."""
    (said,) = told
    assert said.startswith("200 2012-08-10"), said
    assert told[said] > 10, host.journal()
