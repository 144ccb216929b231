"""The tools in a guest's namespace, asking the real services over the network."""

import http.client
import json
import subprocess
import time
from pathlib import Path

import pytest

from guest_tools.cloud_site import Site, without
from guest_tools.hardware import DATA, VIRTUAL, coloned, hardware, port
from guest_tools.pythons import ROOT, Guest
from guests.asking import ask
from guests.cloud import INSTANCE, away
from guests.net import METADATA
from support.servers.databases import eventually


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
        with without(site, "address", "10.0.0.5/24 dev eth0"):
            done = site.inside(each_guest, "get", "meta_data.json#/uuid")
        assert (done.returncode, done.stdout) == (0, f"{INSTANCE}\n")

    def test_no_route(self, each_guest: Guest, site: Site) -> None:
        """Without a route, over IPv4 as well, it is looked for on every interface."""
        with without(site, "route", f"{METADATA}/32 via 10.0.0.2"):
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
