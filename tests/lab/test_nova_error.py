"""A server without its required vendor data is set to ERROR through real Nova's own API."""

import sqlite3
import subprocess
from collections.abc import Iterator
from configparser import RawConfigParser
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import requests

from conformance.processes import running
from firstlight import conf as configuration
from firstlight.metadata.boot.set_server_error import NovaErrorSetter, open_compute
from firstlight.metadata.boot.watchdog import SetErrorFailed
from lab.asking import Client, signed
from lab.environment import NoLab, lab
from lab.keystone import Keystone
from lab.kinds.table import KINDS
from lab.neutron import Neutron
from lab.nova import SECRET, Nova, free_port
from lab.serving import Asked, Reply, serving
from lab.uwsgi import HOST
from support.parts import absent
from support.servers.databases import eventually

OURS = KINDS["minimal"].instance
UUID = OURS["uuid"]
REASON = "required target mlnx_sriov answered 503"
TAG = "firstlight-no-vendordata-mlnx_sriov"
_API = "nova.wsgi.osapi_compute:application"


class Api(NamedTuple):
    """Nova's API, asked by an administrator; `home` is Nova's directory."""

    url: str
    keystone: Keystone
    home: Path

    def server(self) -> dict[str, Any]:
        """The one server, as its owner and administrators see it."""
        headers = {
            "X-Auth-Token": self.keystone.token("admin", "admin"),
            "OpenStack-API-Version": "compute 2.26",
        }
        answer = requests.get(f"{self.url}/servers/{UUID}", headers=headers, timeout=60)
        answer.raise_for_status()
        return dict(answer.json()["server"])

    def answers(self) -> bool:
        """Whether it is up."""
        try:
            return requests.get(f"http://{HOST}:{self.url.split(':')[2]}", timeout=60).ok
        except requests.ConnectionError:
            return False

    def change(self, statement: str) -> None:
        """Change the server behind Nova's back."""
        with sqlite3.connect(self.home / "cell1.sqlite") as cell:
            cell.execute(statement)


@pytest.fixture(scope="module")
def api(keystone: Keystone, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """nova-api under uWSGI, with real Keystone before it and in whose catalogue it is."""
    try:
        environment = lab()
    except NoLab as reason:
        absent(str(reason))
    home = tmp_path_factory.mktemp("nova")
    with serving(_others) as others:
        yield from _api(Nova(environment, home, neutron=others), home, keystone, others)


def _others(asked: Asked) -> Reply:
    """Neutron, for a server's security groups, of which this one has none; and Glance, of whose
    image a notification tells, which is none either."""
    return Neutron([], []).answer(asked.path, asked.query) or Reply(404, b"{}")


def _api(nova: Nova, home: Path, keystone: Keystone, others: str) -> Iterator[Api]:
    port = free_port()
    nova.make_instances([KINDS["minimal"]])
    sections = {
        "keystone_authtoken": keystone.credentials("nova", "service"),
        "glance": {"endpoint_override": others},
    }
    nova.configure({}, sections=sections)
    url = f"http://{HOST}:{port}/v2.1"
    _catalogue(keystone, url)
    command = [_API if "nova.wsgi" in word else word for word in nova.command(port)]
    with (home / "api.log").open("wb") as log:
        process = subprocess.Popen(
            command,
            env=nova.variables(),
            cwd=home,
            stdout=log,
            stderr=log,
            stdin=subprocess.DEVNULL,
        )
    found = Api(url, keystone, home)
    try:
        up = eventually(lambda: process.poll() is not None or found.answers(), 120)
        assert up and process.poll() is None, (home / "api.log").read_text()[-3000:]
        yield found
    finally:
        process.terminate()
        process.wait(30)


def _catalogue(keystone: Keystone, url: str) -> None:
    headers = {"X-Auth-Token": keystone.token("admin", "admin")}

    def make(kind: str, **values: Any) -> str:
        answer = requests.post(
            f"{keystone.url}/{kind}s", json={kind: values}, headers=headers, timeout=60
        )
        answer.raise_for_status()
        return str(answer.json()[kind]["id"])

    service = make("service", type="compute", name="nova")
    make("endpoint", service_id=service, interface="public", url=url, region_id="lab")


@pytest.fixture
def running_server(api: Api) -> Iterator[Api]:
    """The server is active and was started a moment ago, and is so again afterwards."""
    yield api
    api.change("UPDATE instances SET vm_state='active', launched_at=NULL")
    api.change("DELETE FROM tags")


def verdict(api: Api, home: Path, user: str = "admin", project: str = "admin") -> NovaErrorSetter:
    """As the metadata service makes it."""
    conf = home / "metadata.conf"
    conf.write_text(_options(api, user, project))
    return NovaErrorSetter(open_compute(configuration.load("metadata", [str(conf)])), since=60)


def _options(api: Api, user: str = "admin", project: str = "admin") -> str:
    parser = RawConfigParser()
    parser.read_dict(
        {
            "firstlight": {"vendordata_error_auth_section": "nova_admin"},
            "nova_admin": api.keystone.credentials(user, project),
        }
    )
    return "".join(
        f"[{name}]\n" + "".join(f"{key} = {value}\n" for key, value in parser[name].items())
        for name in parser.sections()
    )


def test_error_with_the_target_named(running_server: Api, tmp_path: Path) -> None:
    """Its state is ERROR, and a tag that its owner sees says which target it was."""
    before = running_server.server()
    assert (before["status"], before["tags"]) == ("ACTIVE", [])
    done = verdict(running_server, tmp_path)(UUID, REASON)
    assert done == (True, f"its state in Nova is ERROR now, with the tag {TAG}")
    after = running_server.server()
    assert (after["status"], after["tags"]) == ("ERROR", [TAG])
    assert after["metadata"] == before["metadata"]


def test_one_that_has_run_for_long_is_let_be(running_server: Api, tmp_path: Path) -> None:
    """A guest that asks again after months is no reason to take its server away."""
    running_server.change("UPDATE instances SET launched_at='2025-01-01 00:00:00'")
    done = verdict(running_server, tmp_path)(UUID, REASON)
    assert not done.condemned
    assert "started long ago" in done.told
    assert (running_server.server()["status"], running_server.server()["tags"]) == ("ACTIVE", [])


def test_a_user_who_may_not(running_server: Api, tmp_path: Path) -> None:
    """Nova hides the server from a member of another project: nothing is done, and it is said."""
    done = verdict(running_server, tmp_path, "demo", "demo")(UUID, REASON)
    assert not done.condemned
    assert "no administrator" in done.told
    assert running_server.server()["status"] == "ACTIVE"


def test_a_wrong_password(running_server: Api, tmp_path: Path) -> None:
    """It is a failure to be tried again, told without the password."""
    judge = verdict(running_server, tmp_path)
    conf = tmp_path / "metadata.conf"
    conf.write_text(conf.read_text().replace("password = ", "password = wrong-"))
    judge = NovaErrorSetter(open_compute(configuration.load("metadata", [str(conf)])), since=60)
    with pytest.raises(SetErrorFailed) as raised:
        judge(UUID, REASON)
    assert "wrong-" not in str(raised.value)


def test_from_the_guests_question_to_novas_answer(running_server: Api, tmp_path: Path) -> None:
    """The whole road: a guest asks our service on Nova's databases, its required target is away,
    and a moment later Nova shows the server in ERROR."""
    conf = tmp_path / "nova.conf"
    conf.write_text(
        (running_server.home / "nova.conf").read_text()
        + "[api]\nvendordata_providers = DynamicJSON\n"
        + "vendordata_dynamic_targets = mlnx_sriov@http://127.0.0.1:1\n"
        + "[vendordata_target:mlnx_sriov]\nrequired = true\n"
        + _options(running_server)
        + "[firstlight]\nvendordata_error_after = 1\n"
    )
    headers = signed(UUID, OURS["project_id"], SECRET, None).items()
    home = tmp_path / "ours"
    home.mkdir()
    with running("firstlight", home, home / "unused.sqlite", [conf]) as ours:
        with Client(ours.port) as guest:
            assert guest.ask("/openstack", headers).status == 200
            assert guest.ask("/openstack/latest/vendor_data2.json", headers).status == 503
            assert guest.ask("/openstack/latest/meta_data.json", headers).status == 200
        gone = eventually(lambda: running_server.server()["status"] == "ERROR", 60)
        assert gone, ours.log.read_text()[-3000:]
    assert running_server.server()["tags"] == [TAG]
