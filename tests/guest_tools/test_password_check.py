"""`firstlight-guest password` and `check`, in the cloud."""

import base64
import json
import subprocess
from pathlib import Path

from guest_tools.cloud_site import Site, without
from guest_tools.pythons import Guest
from guests.asking import ask
from parts import need


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
