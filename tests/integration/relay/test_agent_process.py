"""`firstlight agent` as a process, in front of a real metadata service, with the embedded store."""

import grp
import json
import pwd
import socket
import stat
import subprocess
import threading
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from support.cloud.store_samples import interface, server, uuid
from support.relay.agent_process import (
    FIRSTLIGHT,
    PATIENCE,
    OverUnix,
    alive,
    get,
    metadata_service,
    running,
)
from support.relay.agent_thread import NETWORK, ROUTER
from support.servers.databases import eventually, free_port

AGENT = """\
[DEFAULT]
state_path = {directory}
nova_metadata_port = {port}
metadata_proxy_shared_secret = s3cret
metadata_workers = 16
{more}
[relay]
resolver = store
access_log = {directory}/access.log
[store]
connection = {store}
"""
BINARY = bytes(range(256))
ASKS = {"X_Neutron_Network_ID": NETWORK, "X_Forwarded_For": "10.0.0.5"}


@pytest.fixture(scope="module")
def metadata(tmp_path_factory):
    """A metadata service with one server; its port and its store."""
    card = interface("10.0.0.5", "10.0.0.0/24", NETWORK)
    known = server(1, interfaces=(card,), user_data=b64encode(BINARY).decode())
    with metadata_service(tmp_path_factory.mktemp("metadata"), known) as service:
        yield service.port, service.store


def configuration(directory, metadata, more=""):
    port, store = metadata
    return AGENT.format(directory=directory, port=port, store=store, more=more)


@pytest.fixture
def agent(tmp_path, metadata):
    """The agent, of a file as Neutron's metadata agent has it."""
    with running(tmp_path, "agent", configuration(tmp_path, metadata)) as process:
        yield process


def test_a_guest_gets_its_own(tmp_path, agent):
    """Who asks by network and address gets its metadata, binary user data byte for byte."""
    path = tmp_path / "metadata_proxy"
    status, body = get(path, "/openstack/latest/meta_data.json", **ASKS)
    assert (status, json.loads(body)["uuid"]) == (200, uuid(1))
    assert get(path, "/openstack/latest/user_data", **ASKS) == (200, BINARY)
    assert get(path, "/openstack", **ASKS | {"X_Forwarded_For": "10.0.0.6"})[0] == 404
    assert get(path, "/openstack", **ASKS | {"X_Neutron_Network_ID": ROUTER})[0] == 404
    assert get(path, "/openstack", X_Forwarded_For="10.0.0.5")[0] == 400
    for line in (
        f' {uuid(1)} "GET /openstack/latest/user_data" 200 256',
        f' 10.0.0.6@{NETWORK} "GET /openstack" 404 ',
    ):
        assert eventually(lambda: line in (tmp_path / "access.log").read_text())  # noqa: B023  asked before the loop goes on


def test_status(tmp_path, agent):
    """A socket of its own tells that it lives, whether it is ready, and counts; no guest needed."""
    path = tmp_path / "firstlight_status"
    assert get(path, "/healthz")[0] == 200
    assert eventually(lambda: get(path, "/readyz")[0] == 200)
    get(tmp_path / "metadata_proxy", "/openstack", **ASKS)
    _, metrics = get(path, "/metrics")
    assert b'firstlight_relay_requests_total{outcome="passed_on"} 1.0' in metrics
    assert b"firstlight_relay_upstream_asked_total" in metrics
    assert stat.S_IMODE(path.stat().st_mode) == 0o660


def test_not_ready(tmp_path, metadata):
    """Without its metadata service it says so, before any guest has asked."""
    _, store = metadata
    text = configuration(tmp_path, (free_port(), store))
    with running(tmp_path, "agent", text):
        path = tmp_path / "firstlight_status"
        assert eventually(lambda: get(path, "/readyz")[0] == 503)
        assert "refused" in json.loads(get(path, "/readyz")[1])["checks"]["metadata service"]


NOBODY = pwd.getpwnam("nobody")
MODES = [
    ("", 0o644, "root", "root"),
    ("metadata_proxy_user = 0", 0o644, "root", "root"),
    ("metadata_proxy_user = nobody", 0o664, "root", "root"),
    ("metadata_proxy_user = nobody\nmetadata_proxy_group = nogroup", 0o666, "root", "root"),
    ("metadata_proxy_socket_mode = all", 0o666, "root", "root"),
    (
        "metadata_proxy_socket_mode = group\nmetadata_proxy_group = nogroup",
        0o664,
        "root",
        "nogroup",
    ),
    ("metadata_proxy_socket_mode = user\nmetadata_proxy_user = 65534", 0o644, "nobody", "root"),
]


@pytest.mark.parametrize(("more", "mode", "user", "group"), MODES)
def test_mode_and_owner(tmp_path, more, mode, user, group):
    """The socket has the mode and owner that Neutron's options ask for."""
    import os

    from firstlight import conf
    from firstlight.relay.agent.socket_mode import agent_socket

    if os.geteuid() != 0:
        pytest.skip("only root can give a socket away")
    file = tmp_path / "agent.ini"
    file.write_text(f"[DEFAULT]\nstate_path = {tmp_path}\n{more}\n")
    with agent_socket(conf.load("agent", [str(file)])).open():
        found = (tmp_path / "metadata_proxy").stat()
    assert stat.S_IMODE(found.st_mode) == mode
    assert found.st_uid == pwd.getpwnam(user).pw_uid
    assert found.st_gid == grp.getgrnam(group).gr_gid


def test_backlog(tmp_path, metadata):
    """As many connections may wait as metadata_backlog says."""
    path = tmp_path / "metadata_proxy"
    with running(tmp_path, "agent", configuration(tmp_path, metadata, "metadata_backlog = 77")):
        listed = subprocess.run(["ss", "-xlH"], capture_output=True, text=True, check=True).stdout
    [line] = [line for line in listed.splitlines() if str(path) in line]
    assert line.split()[3] == "77"


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ("metadata_proxy_user = no-such-user", "no-such-user"),
        ("nova_metadata_protocol = https\nauth_ca_cert = /no/such/file", "auth_ca_cert"),
        ("metadata_proxy_socket_mode = some", "metadata_proxy_socket_mode"),
        ("metadata_proxy_socket = /no/such/directory/socket", "make the directory"),
        ("[relay]\nupstreams = http://user:pa55@host/path", "http://HOST:PORT"),
    ],
)
def test_refused_starts(tmp_path, metadata, more, why):
    """What cannot be used stops the start, in a line that names it and no password."""
    file = tmp_path / "agent.conf"
    file.write_text(configuration(tmp_path, metadata) + f"\n[DEFAULT]\n{more}\n")
    ended = subprocess.run(
        [FIRSTLIGHT, "agent", "--config-file", file], capture_output=True, text=True, timeout=60
    )
    assert ended.returncode == 1
    assert why in ended.stderr.splitlines()[-1]
    assert "pa55" not in ended.stderr


def test_reload_loses_no_request(tmp_path, agent):
    """While a successor takes over, everybody who asks is answered."""
    path = tmp_path / "metadata_proxy"
    stop = threading.Event()

    def keep_asking(_):
        statuses = set()
        while not stop.is_set():
            statuses.add(get(path, "/openstack", **ASKS)[0])
        return statuses

    with ThreadPoolExecutor(4) as pool:
        asking = [pool.submit(keep_asking, n) for n in range(4)]
        before = agent.serving
        try:
            after = agent.reload()
        finally:
            stop.set()
        assert {status for one in asking for status in one.result()} == {200}
    assert after != before


@contextmanager
def in_flight(tmp_path, metadata):
    """An agent that has passed a guest's request on; the agent, what answers, and the guest's wait
    for it. Nothing else is listening where the agent passes on."""
    _, store = metadata
    with socket.create_server(("127.0.0.1", 0)) as listening, ThreadPoolExecutor() as pool:
        text = configuration(tmp_path, (listening.getsockname()[1], store))
        with running(tmp_path, "agent", text) as process:
            probe, _ = listening.accept()
            probe.close()
            asking = pool.submit(get, tmp_path / "metadata_proxy", "/openstack", **ASKS)
            connection, _ = listening.accept()
            with connection:
                assert connection.recv(4096).startswith(b"GET /openstack ")
                yield process, connection, asking, pool


LAST = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nlast"


def test_answers_what_was_asked_before_it_ends(tmp_path, metadata):
    """SIGTERM waits for the answer that a guest waits for."""
    with in_flight(tmp_path, metadata) as (process, connection, asking, pool):
        stopping = pool.submit(process.stop)
        assert eventually(lambda: not _accepts(tmp_path / "metadata_proxy"))
        connection.sendall(LAST)
        assert asking.result() == (200, b"last")
        stopping.result()


def test_answers_what_was_asked_before_a_reload(tmp_path, metadata):
    """A successor takes over while a guest waits; the guest gets its answer from the old one."""
    with in_flight(tmp_path, metadata) as (process, connection, asking, pool):
        before = process.serving
        reloading = pool.submit(process.reload)
        assert eventually(lambda: "has taken over" in process.log.read_text(), PATIENCE)
        assert alive(before)
        connection.sendall(LAST)
        assert asking.result() == (200, b"last")
        assert reloading.result() != before


def test_an_empty_secret_is_said(tmp_path, metadata):
    """Neutron's default is no secret; whoever leaves it so reads what that means."""
    text = configuration(tmp_path, metadata).replace("s3cret", "")
    with running(tmp_path, "agent", text) as process:
        assert "metadata_proxy_shared_secret is empty" in process.log.read_text()


def test_two_on_a_host(tmp_path, metadata, agent):
    """The second has no status socket, names the process that has it, and serves its guests."""
    other = tmp_path / "other"
    text = configuration(tmp_path, metadata, f"metadata_proxy_socket = {other}")
    with running(tmp_path, "agent", text, name="second") as second:
        assert get(other, "/openstack/latest/user_data", **ASKS) == (200, BINARY)
        log = second.log.read_text()
        assert f"unix:{tmp_path}/firstlight_status: firstlight agent (process " in log
        assert "starts without its listener status" in log
    assert get(tmp_path / "firstlight_status", "/healthz")[0] == 200


def _accepts(path):
    connection = OverUnix(path)
    try:
        connection.connect()
    except ConnectionRefusedError:
        return False
    finally:
        connection.close()
    return True


def test_it_ends_while_the_message_bus_is_away(tmp_path):
    """Nobody waits for oslo.messaging: asked or not, told to end is ended; and it says what is."""
    dead = free_port()
    text = f"""\
[DEFAULT]
state_path = {tmp_path}
transport_url = rabbit://guest:guest@127.0.0.1:{dead}/
[AGENT]
report_interval = 1
[relay]
resolver = neutron-rpc
resolver_deadline = 1
[oslo_concurrency]
lock_path = $state_path/lock
[oslo_messaging_rabbit]
use_queue_manager = true
"""
    with running(tmp_path, "agent", text) as agent:

        def asked():
            checks = json.loads(get(tmp_path / "firstlight_status", "/readyz")[1])["checks"]
            return "message bus" in checks["neutron-rpc"]

        assert eventually(asked)  # although no guest has asked
        status, body = get(tmp_path / "metadata_proxy", "/openstack", **ASKS)
        assert (status, b"http" in body) == (503, False)

        def told():
            found = json.loads(get(tmp_path / "firstlight_status", "/readyz")[1])
            return "message bus" in str(found) and "report" in str(found)

        assert eventually(told)
        assert "RequiredOptError" not in agent.log.read_text()
        agent.stop()  # which fails if that takes longer than its patience
        assert not agent.pid
