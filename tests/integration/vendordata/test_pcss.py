"""``firstlight vendordata`` in pcss-vendor-metadata's place; Neutron is a stand-in.

What pcss-vendor-metadata answered is in its source: JSON with four blanks, keys sorted.
"""

import json
import os
import shutil
import ssl
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests

from support.cloud.http_api import StandIn, stand_in
from support.parts import need
from support.providers.pollinate_service import BIN, PATIENCE, Pollinate, answers, ini
from support.servers.databases import eventually, free_port

INSTANCE = "68347e42-b5b1-4e25-a541-a39a0ebb6b34"
DETAILS = {
    "enable_sriov": True,
    "default_limited_pkeys": ["0x7fff"],
    "physical_guids": ["0002c90300a1b2c3"],
    "virtual_guids": [["0002c90300a1b2c4", "0002c90300a1b2c5"]],
    "dynamic_pkey": False,
}
PORTS = "/v2.0/ports"


def ports(*details: Mapping[str, Any]) -> dict[str, Any]:
    return {"ports": [{"id": str(n), "binding:vif_details": d} for n, d in enumerate(details)]}


@pytest.fixture(scope="module")
def neutron() -> Iterator[StandIn]:
    # With and without the version that discovery finds in front of it.
    with stand_in({PORTS: ports(DETAILS)}) as cloud:
        yield cloud


@contextmanager
def start(
    directory: Path,
    neutron: StandIn,
    default: Mapping[str, object] | None = None,
    more: Mapping[str, Mapping[str, object]] | None = None,
    *,
    by_name: bool = False,
) -> Iterator[Pollinate]:
    """Serve with a pcss-vendor-metadata.ini of these options; nobody is asked for a token."""
    port, status = free_port(), free_port()
    home = directory / ".pcss-vendor-metadata"
    home.mkdir(exist_ok=True)
    conf = home / "pcss-vendor-metadata.ini"
    options = {"listen": "127.0.0.1", "port": port, "auth_strategy": "noauth", **(default or {})}
    asked = {"auth_type": "none", "endpoint_override": neutron.url}
    ours = {"status_port": status}
    conf.write_text(ini({"DEFAULT": options, "neutron": asked, "firstlight": ours, **(more or {})}))
    named = [BIN / "pcss-vendor-metadata-svc"]
    with (directory / "log").open("ab") as log:
        process = subprocess.Popen(
            named if by_name else [BIN / "firstlight", "vendordata", "--config-file", conf],
            env=os.environ | {"HOME": str(directory)},
            stdout=log,
            stderr=log,
        )
    service = Pollinate(f"http://127.0.0.1:{port}", directory / "log", process)
    try:
        healthy = Pollinate(f"http://127.0.0.1:{status}", service.log, process)
        assert eventually(
            lambda: answers(healthy, "/healthz") or process.poll() is not None, PATIENCE
        )
        assert process.poll() is None, service.log.read_text()
        yield service
    finally:
        process.terminate()
        process.wait(20)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, neutron: StandIn) -> Iterator[Pollinate]:
    with start(tmp_path_factory.mktemp("pcss"), neutron, by_name=True) as ours:
        yield ours


@pytest.mark.parametrize("path", ["/", "/v1/anything", "/providers/mlnx_sriov", "/test"])
@pytest.mark.parametrize("method", ["POST", "PUT", "GET", "DELETE"])
def test_every_path_and_method(service: Pollinate, path: str, method: str) -> None:
    """The object of mlnx_sriov, to the byte; pcss looked at nothing but the body."""
    answer = requests.request(
        method, service.url + path, data=json.dumps({"instance-id": INSTANCE}), timeout=20
    )
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/html; charset=UTF-8"
    assert answer.text == json.dumps(DETAILS, indent=4, sort_keys=True)


def test_no_port_and_no_sriov(service: Pollinate, neutron: StandIn) -> None:
    """An empty object, where pcss had 500 for the first."""
    for found in (ports(), ports({"enable_sriov": False})):
        neutron.answers[PORTS] = found
        try:
            answer = requests.post(service.url, json={"instance-id": INSTANCE}, timeout=20)
        finally:
            neutron.answers[PORTS] = ports(DETAILS)
        assert (answer.status_code, answer.text) == (200, "{}")


def test_refusals(service: Pollinate, neutron: StandIn) -> None:
    """A bad body is the caller's fault; what Neutron cannot say is 500, as it was."""
    for body in ("", "{", '{"project-id": "p"}'):
        assert requests.post(service.url, data=body, timeout=20).status_code == 400
    neutron.answers[PORTS] = {"nothing": "to see"}
    try:
        answer = requests.post(service.url, json={"instance-id": INSTANCE}, timeout=20)
    finally:
        neutron.answers[PORTS] = ports(DETAILS)
    assert answer.status_code == 500
    assert "mlnx_sriov" in answer.json()["error"]["message"]


def test_a_port_that_is_not_sriovs(service: Pollinate, neutron: StandIn) -> None:
    """The first port with SR-IOV counts: Neutron promises no order."""
    neutron.answers[PORTS] = ports({}, DETAILS)
    try:
        answer = requests.post(service.url, json={"instance-id": INSTANCE}, timeout=20)
    finally:
        neutron.answers[PORTS] = ports(DETAILS)
    assert answer.json() == DETAILS


def test_tls_and_workers(tmp_path: Path, neutron: StandIn) -> None:
    """``[ssl]`` and ``workers`` count; a caller without the certificate does not get in."""
    openssl = need("openssl")
    for name in ("service", "caller"):
        command = [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
        names = ["-subj", f"/CN={name}", "-addext", "subjectAltName=IP:127.0.0.1"]
        files = ["-keyout", tmp_path / f"{name}.key", "-out", tmp_path / f"{name}.pem"]
        subprocess.run([*command, *names, *files], check=True, capture_output=True)
    tls = {
        "cert_file": tmp_path / "service.pem",
        "key_file": tmp_path / "service.key",
        "ca_file": tmp_path / "caller.pem",
        "version": "TLSv1_2",
    }
    with start(tmp_path, neutron, {"workers": 2}, {"ssl": tls}) as ours:
        url = ours.url.replace("http:", "https:")
        shown = (str(tmp_path / "caller.pem"), str(tmp_path / "caller.key"))
        trusted = str(tmp_path / "service.pem")

        def ask(cert: Any) -> requests.Response:
            body = {"instance-id": INSTANCE}
            return requests.post(url, json=body, verify=trusted, cert=cert, timeout=20)

        assert ask(shown).json() == DETAILS
        with pytest.raises(requests.ConnectionError):
            ask(None)
        context = ssl.create_default_context(cafile=trusted)
        assert context.maximum_version != ssl.TLSVersion.TLSv1_2
        (generation,) = children(ours.process.pid)
        assert len(children(generation)) == 2


def children(pid: int | str) -> list[str]:
    return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()


def test_a_connection_for_each_request(tmp_path: Path, neutron: StandIn) -> None:
    """``wsgi_keep_alive = false`` ends a connection with its answer."""
    options = {"wsgi_keep_alive": False, "tcp_keepidle": 60, "client_socket_timeout": 0}
    with start(tmp_path, neutron, options) as ours, requests.Session() as session:
        answer = session.post(ours.url, json={"instance-id": INSTANCE}, timeout=20)
        assert answer.headers["Connection"] == "close"
        assert answer.json() == DETAILS


def test_what_has_no_effect_is_named(tmp_path: Path, neutron: StandIn) -> None:
    """Once, with its file and what there is instead; what changes nothing is left out."""
    options = {"wsgi_log_format": "%(client_ip)s", "wsgi_server_debug": False, "workers": 2}
    with start(tmp_path, neutron, options) as ours:
        log = ours.log.read_text()
    assert log.count("[DEFAULT] wsgi_log_format in ") == 1
    assert "pcss-vendor-metadata.ini has no effect" in log
    assert "wsgi_server_debug" not in log


@pytest.mark.parametrize(
    ("default", "more", "said"),
    [
        ({"api_paste_config": "/nowhere/paste.ini"}, {}, "there is no file /nowhere/paste.ini"),
        ({"providers": "static_map"}, {}, "[DEFAULT] providers"),
        ({}, {"neutron": {"retries": 3}}, "[neutron] auth_type is not set"),
        ({}, {"ssl": {"cert_file": "/nowhere.pem"}}, "cert_file and key_file go together"),
        ({}, {"ssl": {"cert_file": "/a", "key_file": "/b"}}, "[ssl] cert_file"),
        ({}, {"ssl": {"version": "SSLv3"}}, "version"),
    ],
)
def test_what_cannot_work_stops_the_start(
    tmp_path: Path, neutron: StandIn, default: Any, more: Any, said: str
) -> None:
    """By the name of the option, without a traceback."""
    with pytest.raises(AssertionError) as caught, start(tmp_path, neutron, default, more):
        pass
    assert said in str(caught.value)
    assert "Traceback" not in str(caught.value)
    shutil.rmtree(tmp_path / ".pcss-vendor-metadata")
