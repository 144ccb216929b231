"""`firstlight-guest password` and `check`, in the cloud."""

import base64
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from guest_tools.cloud_site import Site, without
from guest_tools.pythons import Guest
from guests.asking import ask
from guests.cloud import INSTANCE
from guests.net import METADATA
from support.parts import need


class TestPassword:
    """`firstlight-guest password`."""

    def test_once(self, guest: Guest, site: Site, tmp_path: Path) -> None:
        """The user gets a password that its owner can decrypt; the second run changes nothing."""
        root = _machine(tmp_path, INSTANCE.upper())
        done = site.inside(guest, "--root", root, "password", "--user", "alice")
        assert (done.returncode, done.stderr) == (0, "")
        reply = site.cloud.net.guest.call(ask, "GET", "/openstack/latest/password")
        opened = subprocess.run(
            [need("openssl"), "pkeyutl", "-decrypt", "-inkey", site.key],
            input=base64.b64decode(reply.body, validate=True),
            capture_output=True,
            check=True,
        )
        given = (tmp_path / "given").read_text()
        assert given == f"alice:{opened.stdout.decode()}\n"
        assert len(opened.stdout) == 24
        assert given[6:-1] not in done.stdout
        again = site.inside(guest, "--root", root, "password", "--user", "alice")
        assert (again.returncode, again.stdout) == (0, "nothing to do: a password has been set\n")
        assert (tmp_path / "given").read_text() == given

    def test_another_server(self, guest: Guest, site: Site, tmp_path: Path) -> None:
        """What speaks of another server than the hypervisor gets no password, and sets none."""
        root = _machine(tmp_path, "11111111-2222-4333-8444-555555555555")
        done = site.inside(guest, "--root", root, "password")
        assert done.returncode == 1
        assert "speaks of the server" in done.stderr
        assert not (tmp_path / "given").exists()

    def test_an_impostor(self, each_guest: Guest, site: Site, tmp_path: Path) -> None:
        """Another network's service is neither asked for a key nor sent a password: not while the
        routed one does not answer, and not while there is no route."""
        root = _machine(tmp_path)
        password = ("--root", root, "password", "--wait", "2")
        with _impostor(site, tmp_path) as heard:
            with _silent(site):
                silent = site.inside(each_guest, *password)
            with without(site, "address", "10.0.0.5/24 dev eth0"):
                unrouted = site.inside(each_guest, *password)
                assert heard.read_text() == ""
                # It is there: a guest without a route finds it when it looks everywhere.
                site.ip("link set eth0 down")
                read = site.inside(each_guest, "get", "--wait", "5", "meta_data.json#/uuid")
                site.ip("link set eth0 up")
        assert (silent.returncode, unrouted.returncode) == (3, 3)
        assert "no route" in unrouted.stderr
        assert not (tmp_path / "given").exists()
        assert read.stdout == "evil\n"


def _machine(tmp_path: Path, uuid: str = "") -> Path:
    """A root whose chpasswd notes what it is given, and whose hypervisor says this UUID."""
    root = tmp_path / "root"
    chpasswd = root / "usr/sbin/chpasswd"
    chpasswd.parent.mkdir(parents=True)
    chpasswd.write_text(f"#!/bin/sh\ncat >>{tmp_path}/given\n")
    chpasswd.chmod(0o755)
    if uuid:
        dmi = root / "sys/class/dmi/id"
        dmi.mkdir(parents=True)
        (dmi / "product_uuid").write_text(f"{uuid}\n")
        (dmi / "product_name").write_text("OpenStack Nova\n")
    return root


_IMPOSTOR = """
import http.server, json, sys
class Impostor(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def log_message(self, *_words):
        pass
    def answer(self, body):
        with open(sys.argv[1], "a") as heard:
            print(self.command, self.path, file=heard)
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def do_GET(self):
        told = json.dumps({"uuid": "evil", "public_keys": {"k": open(sys.argv[2]).read()}})
        self.answer({"p": b"", "m": told.encode()}.get(self.path.split("/")[-1][0], b"latest"))
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.answer(b"")
http.server.ThreadingHTTPServer(("169.254.169.254", 80), Impostor).serve_forever()
"""


@contextmanager
def _silent(site: Site) -> Iterator[None]:
    """The service that the guest's route leads to does not answer over IPv4."""
    there = ["ip", "-n", site.cloud.net.service.name, "address"]
    subprocess.run([*there, "del", f"{METADATA}/32", "dev", "tap0"], check=True)
    try:
        yield
    finally:
        subprocess.run([*there, "add", f"{METADATA}/32", "dev", "tap0"], check=True)


@contextmanager
def _impostor(site: Site, tmp_path: Path) -> Iterator[Path]:
    """A metadata service of somebody else's on the guest's third network; yields what it heard."""
    name, heard = f"firstlight-impostor-{os.getpid()}", tmp_path / "heard"
    heard.touch()
    there = ["ip", "netns", "exec", name]
    subprocess.run(["ip", "netns", "add", name], check=True)
    try:
        site.ip(f"link add eth2 type veth peer name evil netns {name}")
        site.ip("link set eth2 up")
        site.ip("address add 10.9.0.5/24 dev eth2")
        for words in (
            "link set lo up",
            "link set evil up",
            f"address add {METADATA}/32 dev evil",
            "address add 10.9.0.2/24 dev evil",
        ):
            subprocess.run(["ip", "-n", name, *words.split()], check=True)
        server = [*there, sys.executable, "-c", _IMPOSTOR, heard, site.key.with_suffix(".pub")]
        with subprocess.Popen(server) as process:
            try:
                yield heard
            finally:
                process.kill()
    finally:
        subprocess.run(["ip", "-n", site.cloud.net.guest.name, "link", "del", "eth2"], check=False)
        subprocess.run(["ip", "netns", "delete", name], check=True)


class TestCheck:
    """`firstlight-guest check`."""

    def _check(self, guest: Guest, site: Site, hostname: str) -> dict[str, dict[str, str]]:
        own_name = ["unshare", "--uts", "sh", "-c", f'hostname {hostname} && exec "$@"', "sh"]
        before = site.cloud.net.guest.command(*own_name)
        done = guest.run("check", "--json", before=before)
        steps = {step["name"]: step for step in json.loads(done.stdout)}
        failed = any(step["result"] == "FAILED" for step in steps.values())
        assert done.returncode == failed, done.stderr
        return steps

    def test_all_is_well(self, each_guest: Guest, site: Site) -> None:
        """Every step is said to be right, with what was found."""
        steps = self._check(each_guest, site, "first-light")
        assert {step["result"] for step in steps.values()} <= {"ok", "-"}, steps
        assert steps["address network0"]["found"].startswith("eth0 has 10.0.0.5/24")
        assert steps["vendor_data"]["found"] == "mlnx_sriov, static; empty: silent"

    def test_hostname(self, guest: Guest, site: Site) -> None:
        """A name that is not the one given is named, and how to mend it."""
        step = self._check(guest, site, "localhost")["hostname"]
        assert step["found"] == "is localhost, was given as first-light.novalocal"
        assert "cloud-init" in step["mend"]

    def test_wrong_subnet(self, guest: Guest, site: Site) -> None:
        """An address with another netmask than was given is found."""
        with without(site, "address", "10.0.0.5/24 dev eth0"):
            site.ip("address add 10.0.0.5/16 dev eth0")
            try:
                step = self._check(guest, site, "first-light")["address network0"]
            finally:
                site.ip("address del 10.0.0.5/16 dev eth0")
        assert step["result"] == "FAILED"
        assert "should be in 10.0.0.0/24" in step["found"]

    def test_no_service(self, guest: Guest) -> None:
        """Where nobody answers, the walk ends there, with the step to mend."""
        options = ("--url", "http://127.0.0.1:1", "--wait", "0", "--from", "network")
        done = guest.run("check", *options)
        assert done.returncode == 1
        assert "FAILED  metadata service" in done.stdout
        assert "to mend it: " in done.stdout
        assert "hostname" not in done.stdout
