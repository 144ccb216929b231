"""The bench of the whole road: its networks and guests are real, its counts are right."""

import os
import subprocess
import sys
from concurrent.futures import Future
from pathlib import Path
from threading import Timer
from types import SimpleNamespace

import pytest

from firstlight.httpd.protocol.messages import Response
from support.parts import absent
from support.servers.http_server import Serving

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(autouse=True)
def _importable(monkeypatch):
    """`bench` is beside `tests`, and installed nowhere."""
    monkeypatch.syspath_prepend(ROOT)


def test_without_a_lab_it_says_so(tmp_path):
    """Where there is no real Neutron, nothing is measured, and nothing fails."""
    done = subprocess.run(
        [sys.executable, "-m", "bench", "--only", "relay"],
        env=os.environ | {"FIRSTLIGHT_LAB": str(tmp_path)},
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "SKIPPED, nothing was measured" in done.stdout


def test_guests_take_turns():
    """No more guests than may wait for an answer at once; good answers are told from others."""
    from bench import storm

    waiting, most = [], []

    def answer(request):
        later = Future()
        waiting.append(later)
        most.append(len(waiting))
        Timer(0.01, end, [later, 200 if request.target == "/good" else 404]).start()
        return later

    def end(later, status):
        waiting.remove(later)
        later.set_result(Response(status, b"x"))

    with Serving(answer) as serving:
        good, bad = (
            (b"GET %b HTTP/1.1\r\nHost: x\r\n\r\n" % path, 200) for path in (b"/good", b"/bad")
        )
        guests = [storm.Guest(serving.connect, [good, good, bad]) for _ in range(5)]
        storm.run(guests, at_once=2)
    assert max(most) == 2
    told = storm.summed(guests, 2.0, 0.0)
    assert (told.per_second, told.errors) == (5.0, 5)


def test_our_relay_serves_the_networks_of_the_bench(tmp_path):
    """Networks that are made while it runs are served, and what it occupies is told."""
    if os.geteuid() != 0:
        absent("network namespaces are made by root alone")
    from bench import storm
    from bench.process import memory
    from bench.relay_chains import our_relay
    from bench.relay_cloud import Guest
    from bench.relay_networks import NOBODYS, Town

    networks = ["7a9c5c2e-0b51-4b0e-9b2e-3d0c6a0f1c11", "7a9c5c2e-0b51-4b0e-9b2e-3d0c6a0f1c12"]
    nowhere = SimpleNamespace(transport_url="rabbit://guest:guest@127.0.0.1:1/")
    # Whose method TRACE is refused before anybody is asked who it is.
    question = (b"TRACE / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 405)
    with Town(tmp_path / "town") as town, our_relay(nowhere, tmp_path / "ours", town, 1) as relay:
        for network in networks:
            town.network(network, ["10.0.0.5"])
            relay.serve(town.networks)
        who = [Guest(network, at, "") for network in networks for at in ("10.0.0.5", NOBODYS)]
        guests = [storm.Guest(town.connect(each), [question]) for each in who]
        storm.run(guests)
        assert [(len(guest.times), guest.errors) for guest in guests] == [(1, 0)] * 4
        assert len(relay.processes) == 2
        assert memory(relay.processes) > 1e6
