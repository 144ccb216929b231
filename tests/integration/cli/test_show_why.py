"""``firstlight show --why``, while the service runs and while it does not."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.request import urlopen

import pytest

from conformance.processes import instance_command, running
from support.servers.databases import eventually

FIRSTLIGHT = Path(sys.executable).parent / "firstlight"
UUID = "00000000-0000-4000-8000-00000000000a"
INSTANCE = {
    "uuid": UUID,
    "project_id": "p",
    "name": "web-1",
    "hostname": "web-1",
    "interfaces": [
        {
            "port_id": "port",
            "mac": "fa:16:3e:00:00:01",
            "network": {
                "id": "n",
                "subnets": [{"cidr": "127.0.0.0/8", "addresses": [{"address": "127.0.0.1"}]}],
            },
        }
    ],
}


class Target(BaseHTTPRequestHandler):
    """Answers with a secret, or 503, as its path says; "/flaps" does both in turn."""

    turns = 0

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        Target.turns += self.path == "/flaps"
        failing = self.path == "/fails" or (self.path == "/flaps" and Target.turns > 1)
        self.send_response(503 if failing else 200)
        self.send_header("Content-Length", "6")
        self.end_headers()
        self.wfile.write(b'"hush"')

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.fixture
def target() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Target) as server:
        Target.turns = 0
        thread = Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def why(*files: Path) -> list[str]:
    """The lines it prints."""
    command = [FIRSTLIGHT, "show", UUID, "--why", *(f"--config-file={file}" for file in files)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    assert "hush" not in done.stdout
    return done.stdout.splitlines()


def test_which_target_failed_when_and_how(target: str, tmp_path: Path) -> None:
    """The targets as they answer now, and what the running service holds: what is stale, since
    when, and why; with the service away that is said, and the rest is shown."""
    conf, document, store = (tmp_path / n for n in ("m.conf", "i.json", "store.sqlite"))
    document.write_text(json.dumps(INSTANCE))
    conf.write_text(
        "[api]\nvendordata_providers = StaticJSON, DynamicJSON\nvendordata_dynamic_targets = "
        f"good@{target}/good, bad@{target}/fails, flaps@{target}/flaps\n"
        "[vendordata_target:flaps]\nttl = 0.01\nstale_if_error = 3600\nrequired = true\n"
    )
    instance_command(store, tmp_path, "add", str(document))
    with running("firstlight", tmp_path, store, [conf]) as service:
        shown_to_guests = {"static": {}, "good": "hush", "bad": {}, "flaps": "hush"}

        def is_stale() -> bool:
            url = f"http://127.0.0.1:{service.port}/openstack/latest/vendor_data2.json"
            with urlopen(url, timeout=60) as answer:
                assert json.load(answer) == shown_to_guests
                return "flaps; age=" in (answer.headers["Firstlight-Stale"] or "")

        assert eventually(is_stale)
        shown = why(conf, tmp_path / "where.conf")
        below = Path(f"/proc/{service.pid}/task/{service.pid}/children").read_text().split()
        url = f"http://127.0.0.1:{service.status_port}/about/{UUID}"
        with urlopen(url, timeout=60) as answer:
            assert b"hush" not in answer.read()
    text = "\n".join(shown)
    assert shown[0].startswith(f"instance {UUID}: the embedded store, read in ")
    assert shown[1] == "static: no file, so {}"
    assert shown[2].startswith("target good: ok, asked now, ")
    assert shown[3].startswith("target bad: failed, asked now, ")
    assert shown[3].endswith(": answered 503 (status); guests see {}")
    (serving,) = below
    assert f"service: process {serving} at 127.0.0.1:{service.status_port}" in shown
    assert f"  target good ({target}/good): ok, said " in text
    assert f"  target bad ({target}/fails): nothing is kept" in shown
    assert f"  target flaps ({target}/flaps, required): ok, said " in text
    assert ", stale; it stands in for a failure for " in text
    assert text.count(": answered 503 (status)") == 4

    assert any(
        line.startswith("service: none answers at ") for line in why(conf, tmp_path / "where.conf")
    )


def test_what_guests_see_instead(target: str, tmp_path: Path) -> None:
    """503 for a required target, what stands in while the service has it, or nothing at all where
    the name is taken; each target is asked once for it."""
    conf, document, store = (tmp_path / n for n in ("m.conf", "i.json", "store.sqlite"))
    document.write_text(json.dumps(INSTANCE))
    conf.write_text(
        "[api]\nvendordata_providers = StaticJSON, DynamicJSON\nvendordata_dynamic_targets = "
        f"must@{target}/flaps, static@{target}/good\n"
        "[vendordata_target:must]\nttl = 0.01\nstale_if_error = 3600\nrequired = true\n"
    )
    instance_command(store, tmp_path, "add", str(document))
    with running("firstlight", tmp_path, store, [conf]) as service:
        url = f"http://127.0.0.1:{service.port}/openstack/latest/vendor_data2.json"
        with urlopen(url, timeout=60) as answer:
            assert json.load(answer)["must"] == "hush"
        turns = Target.turns
        stands_in = why(conf, tmp_path / "where.conf")
        assert Target.turns == turns + 1
    alone = why(conf, tmp_path / "where.conf")
    assert re.search(r"^target must: failed.*; guests see what it said 20.*Z$", stands_in[2])
    assert not any("503 for vendor_data2.json" in line for line in stands_in)
    for lines in (stands_in, alone):
        assert lines[3].startswith("target static: ok, asked now, ")
        assert lines[3].endswith("; guests see nothing of it: the key static is StaticJSON's")
    assert "guests see 503 for vendor_data2.json: required and failed: must" in alone
