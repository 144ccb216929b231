"""The tools in a guest's namespace, asking the real services over the network."""

import base64
import http.client
import json
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml

from guest_tools.hardware import DATA, VIRTUAL, coloned, hardware, port
from guest_tools.pythons import ROOT, Guest
from guests.asking import ask
from guests.cloud import INSTANCE, Cloud, add_instance, away, cloud
from guests.net import METADATA, network
from parts import absent, need
from servers import eventually

# mlnx_sriov is a bare object, as pcss-vendor-metadata answered; nobody is where `silent` should be.
_TARGETS = """
[api]
vendordata_dynamic_targets =
    mlnx_sriov@http://127.0.0.1:9090/providers/static_map,
    silent@http://127.0.0.1:9091
"""
_RULES = [{"match": {"metadata": {"role": "web"}}, "data": DATA}]


class Site(NamedTuple):
    """The cloud, and the private key of the guest's owner."""

    cloud: Cloud
    key: Path

    def inside(
        self, guest: Guest, *words: object, **more: object
    ) -> subprocess.CompletedProcess[str]:
        """What `firstlight-guest WORDS` does in the guest."""
        return guest.run(*words, before=self.cloud.net.guest.command())

    def ip(self, words: str) -> None:
        """Change the guest's network."""
        subprocess.run(["ip", "-n", self.cloud.net.guest.name, *words.split()], check=True)

    def firstlight(self, *words: str) -> None:
        """The operator's command, where it reaches the vendordata service."""
        conf = self.cloud.home / "metadata.conf"
        command = self.cloud.net.service.command("firstlight", *words, "--config-file", conf)
        path = f"{ROOT / '.venv/bin'}{os.pathsep}{os.environ['PATH']}"
        subprocess.run(command, check=True, capture_output=True, env=os.environ | {"PATH": path})


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The cloud whose server has one network and an RSA key."""
    home = tmp_path_factory.mktemp("cloud")
    key = home / "key"
    subprocess.run(
        [need("ssh-keygen"), "-q", "-t", "rsa", "-b", "2048", "-m", "PEM", "-N", "", "-f", key],
        check=True,
    )
    document = yaml.safe_load((ROOT / "tests/guests/guest.yaml").read_text())
    document["keypair"]["public_key"] = key.with_suffix(".pub").read_text().strip()
    document["interfaces"] = document["interfaces"][:1]
    (home / "server.yaml").write_text(yaml.safe_dump(document))
    with network() as net, cloud(net, "signed", home, _TARGETS) as running:
        (home / "static_map.yaml").write_text(yaml.safe_dump(_RULES))
        site = Site(running, key)
        site.firstlight("instance", "remove", INSTANCE)
        add_instance(home, home / "server.yaml")
        yield site


class TestGet:
    """`firstlight-guest get`."""

    def test_document(self, each_guest: Guest, site: Site) -> None:
        """A document is printed byte for byte."""
        done = site.inside(each_guest, "get", "network_data.json")
        path = "/openstack/latest/network_data.json"
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.encode() == site.cloud.net.guest.call(ask, "GET", path).body

    @pytest.mark.parametrize(
        ("words", "said"),
        [
            (["meta_data.json#/hostname"], "first-light.novalocal"),
            (["/openstack/2018-08-27/meta_data.json#/meta"], '{"role": "web"}'),
            (["/latest/meta-data/local-ipv4"], "10.0.0.5"),
            (["--provider", "mlnx_sriov"], json.dumps(DATA, sort_keys=True)),
        ],
    )
    def test_value(self, guest: Guest, site: Site, words: list[str], said: str) -> None:
        """A value in it, any path, and what a provider says."""
        done = site.inside(guest, "get", *words)
        assert (done.returncode, done.stdout.rstrip("\n"), done.stderr) == (0, said, "")

    def test_list(self, guest: Guest, site: Site) -> None:
        """Without a path, it lists what there is."""
        assert "/openstack/latest/user_data" in site.inside(guest, "get").stdout.split()

    @pytest.mark.parametrize(
        ("words", "code"),
        [
            (["--provider", "nobody"], 4),
            (["--provider", "silent"], 5),
            (["nothing.json"], 4),
            (["meta_data.json#/nothing"], 4),
            (["--url", "http://127.0.0.1:1", "--wait", "0", "meta_data.json"], 3),
        ],
    )
    def test_exit_codes(self, each_guest: Guest, site: Site, words: list[str], code: int) -> None:
        """Not there, empty, and could not ask are three different codes, each with its sentence."""
        done = site.inside(each_guest, "get", *words)
        assert (done.returncode, done.stdout) == (code, "")
        assert done.stderr.startswith("firstlight-guest get: ")

    def test_ipv6_only(self, each_guest: Guest, site: Site) -> None:
        """Without any IPv4, the service is found over IPv6, on whichever interface."""
        with _without(site, "address", "10.0.0.5/24 dev eth0"):
            done = site.inside(each_guest, "get", "meta_data.json#/uuid")
        assert (done.returncode, done.stdout) == (0, f"{INSTANCE}\n")

    def test_no_route(self, each_guest: Guest, site: Site) -> None:
        """Without a route, over IPv4 as well, it is looked for on every interface."""
        with _without(site, "route", f"{METADATA}/32 via 10.0.0.2"):
            site.ip("link set eth1 down")  # its way back is eth0's
            disable = "net.ipv6.conf.all.disable_ipv6"
            inside = site.cloud.net.guest.command
            try:
                subprocess.run(inside("sysctl", "-q", f"{disable}=1"), check=True)
                done = site.inside(each_guest, "get", "meta_data.json#/uuid")
            finally:
                subprocess.run(inside("sysctl", "-q", f"{disable}=0"), check=True)
                site.ip("link set eth1 up")
        assert (done.returncode, done.stdout) == (0, f"{INSTANCE}\n")

    def test_service_comes_late(self, guest: Guest, site: Site) -> None:
        """A service that is not there yet is waited for."""
        command = site.cloud.net.guest.command(*guest.command("get", "meta_data.json#/uuid"))
        with away(site.cloud.metadata):
            waiting = subprocess.Popen([*command, "--wait", "100"], stdout=subprocess.PIPE)
            time.sleep(1)
            assert waiting.poll() is None
        assert waiting.communicate(timeout=110)[0] == f"{INSTANCE}\n".encode()

    def test_watch(self, guest: Guest, site: Site, tmp_path: Path) -> None:
        """The command is run with the new value when it changes, and not before, word by word."""
        seen = tmp_path / "seen"
        key = "meta_data.json#/meta/colour"
        words = ["get", "--interval", "0.2", "--watch", key, "--"]
        script = f'echo "$FIRSTLIGHT_KEY $(cat) $*" >>{seen}'
        process = subprocess.Popen(
            site.cloud.net.guest.command(
                *guest.command(*words, "sh", "-c", script, "sh", "--", "--wait")
            )
        )
        try:
            for colour in ("red", "blue"):
                site.cloud.asked()
                assert eventually(lambda: any("meta_data" in x for x in site.cloud.asked()), 60)
                site.firstlight("instance", "update", INSTANCE, "--metadata", f"colour={colour}")
                wanted = f"{key} {colour} -- --wait\n"
                assert eventually(lambda w=wanted: seen.exists() and w in seen.read_text(), 60)
        finally:
            process.terminate()
            process.wait(60)
        assert seen.read_text() == f"{key} red -- --wait\n{key} blue -- --wait\n"


@contextmanager
def _without(site: Site, kind: str, what: str) -> Iterator[None]:
    site.ip(f"{kind} del {what}")
    try:
        yield
    finally:
        site.ip(f"{kind} add {what}")
        if kind == "address":
            site.ip(f"route add {METADATA}/32 via 10.0.0.2")


class TestSriov:
    """Vendordata service, metadata service, guest."""

    def test_the_old_request(self, site: Site) -> None:
        """The request of pcss's script is answered with its five keys."""

        def old_script() -> dict[str, object]:
            connection = http.client.HTTPConnection(METADATA, timeout=20)
            connection.request("GET", "/openstack/2018-08-27/vendor_data2.json")
            found = json.loads(connection.getresponse().read()).get("mlnx_sriov")
            connection.close()
            return dict(found)

        assert site.cloud.net.guest.call(old_script) == DATA

    def test_end_to_end(self, each_guest: Guest, site: Site, tmp_path: Path) -> None:
        """What the provider says of this server becomes virtual functions in it."""
        with hardware(tmp_path, [port(0), port(1)]) as machine:
            done = site.inside(each_guest, "--root", machine.root, "sriov")
            assert (done.returncode, done.stderr) == (0, "")
            assert done.stdout.startswith("vendor data: from the network\n")
            for number in (0, 1):
                wanted = [("Follow", coloned(g), coloned(g)) for g in VIRTUAL[number]]
                assert machine.guids(f"ib{number}") == wanted


class TestDrive:
    """The config drive, as the kernel shows it."""

    def test_first(self, each_guest: Guest, site: Site, tmp_path: Path) -> None:
        """A drive with the label is mounted, read, and unmounted; nobody is asked."""
        iso = tmp_path / "disk.config"
        site.firstlight("config-drive", INSTANCE, "-o", str(iso))
        root = _root_with(tmp_path, "mount", "umount")
        with _loop(_mountable(iso)) as device:
            link = root / "dev/disk/by-label/config-2"
            link.parent.mkdir(parents=True)
            link.symlink_to(device)
            site.cloud.asked()
            done = site.inside(each_guest, "--root", root, "get", "meta_data.json#/uuid")
            sriov = site.inside(each_guest, "--root", root, "sriov", "--dry-run")
            assert device not in Path("/proc/mounts").read_text()
        assert (done.returncode, done.stdout, done.stderr) == (0, f"{INSTANCE}\n", "")
        assert sriov.stdout.startswith("vendor data: from the config drive\n")
        assert site.cloud.asked() == []

    def test_unreadable(self, guest: Guest, site: Site, tmp_path: Path) -> None:
        """A drive that cannot be read is told of, and the network asked."""
        root = _root_with(tmp_path, "umount")
        (root / "dev/disk/by-label").mkdir(parents=True)
        (root / "dev/disk/by-label/config-2").touch()
        done = site.inside(guest, "--root", root, "get", "meta_data.json#/uuid")
        assert (done.returncode, done.stdout) == (0, f"{INSTANCE}\n")
        assert "cannot be read (are you root?)" in done.stderr
        alone = site.inside(guest, "--root", root, "get", "--from", "drive", "meta_data.json")
        assert (alone.returncode, alone.stdout) == (3, "")

    def test_empty_on_the_drive(self, guest: Guest, site: Site, tmp_path: Path) -> None:
        """What is empty on the drive, for its provider was away then, is asked over the network."""
        latest = tmp_path / "openstack/latest"
        latest.mkdir(parents=True)
        (latest / "vendor_data2.json").write_text('{"mlnx_sriov": {}}')
        done = site.inside(guest, "get", "--drive", tmp_path, "--provider", "mlnx_sriov")
        assert (done.returncode, json.loads(done.stdout)) == (0, DATA)


def _root_with(tmp_path: Path, *programs: str) -> Path:
    root = tmp_path / "root"
    (root / "usr/bin").mkdir(parents=True)
    for name in programs:
        (root / "usr/bin" / name).symlink_to(need(name))
    return root


def _mountable(iso: Path) -> Path:
    """The drive's tree on a file system that any kernel mounts; this one may not know ISO 9660."""
    tree, image = iso.with_name("tree"), iso.with_name("ext4")
    extract = [need("osirrox"), "-indev", iso, "-extract", "/", tree]
    subprocess.run(extract, check=True, capture_output=True)
    make = [need("mkfs.ext4"), "-q", "-L", "config-2", "-d", tree, image, "8M"]
    subprocess.run(make, check=True, capture_output=True)
    return image


@contextmanager
def _loop(image: Path) -> Iterator[str]:
    command = [need("losetup"), "--find", "--show", "--read-only", image]
    made = subprocess.run(command, capture_output=True, text=True)
    if made.returncode != 0:
        absent(f"this machine gives no loop device: {made.stderr.strip()}")
    device = made.stdout.strip()
    try:
        yield device
    finally:
        subprocess.run(["losetup", "--detach", device], check=True)


class TestPassword:
    """`firstlight-guest password`."""

    def test_once(self, guest: Guest, site: Site, tmp_path: Path) -> None:
        """The user gets a password that its owner can decrypt; the second run changes nothing."""
        root = tmp_path / "root"
        chpasswd = root / "usr/sbin/chpasswd"
        chpasswd.parent.mkdir(parents=True)
        chpasswd.write_text(f"#!/bin/sh\ncat >>{tmp_path}/given\n")
        chpasswd.chmod(0o755)
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
        with _without(site, "address", "10.0.0.5/24 dev eth0"):
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


_PAGE = (ROOT / "docs/guest-tools.md").read_text().splitlines()
_TYPED = [line.partition("   ")[0] for line in _PAGE if line.startswith("$ firstlight-guest")]


@pytest.mark.parametrize("line", _TYPED)
def test_documented(guest: Guest, site: Site, line: str) -> None:
    """What docs/guest-tools.md has people type works, and says something."""
    own_name = ["unshare", "--uts", "sh", "-c", 'hostname first-light && exec "$@"', "sh"]
    before = site.cloud.net.guest.command(*own_name)
    done = guest.run(*line.removeprefix("$ firstlight-guest").split(), before=before)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.strip()
