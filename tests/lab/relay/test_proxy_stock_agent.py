"""Our proxy in a namespace, in front of a real neutron-metadata-agent behind its socket."""

import os
import signal
import subprocess
from pathlib import Path
from uuid import uuid4

import pytest

from lab.environment import needed
from support.relay.agent_thread import responding
from support.relay.relay_host import PATIENCE, RelayHost
from support.servers.databases import eventually

# The real agent; its RPC answers with one port.
AGENT = Path(__file__).resolve().parents[3] / "bench" / "neutron_agent.py"
INSTANCE = "aaaaaaaa-1111-4111-8111-111111111111"
BODY = b'{"uuid": "it is me"}'
RESPONSE = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
    b"Content-Length: %d\r\nConnection: close\r\n\r\n%s" % (len(BODY), BODY)
)
CONFIG = """\
[DEFAULT]
state_path = {directory}
metadata_proxy_socket = {directory}/metadata_proxy
nova_metadata_host = 127.0.0.1
nova_metadata_port = {port}
metadata_proxy_shared_secret = s3cret
metadata_workers = 2
"""


@pytest.fixture
def nova():
    with responding(RESPONSE, hang_up=True) as upstream:
        yield upstream


@pytest.fixture
def stock(tmp_path, nova):
    """The socket of a running agent of Neutron's."""
    config = tmp_path / "metadata_agent.ini"
    config.write_text(CONFIG.format(directory=tmp_path, port=nova.port))
    lab = needed()
    environ = {"PATH": f"{lab / 'bin'}:{os.defpath}", "INSTANCE": INSTANCE, "PROJECT": "p1"}
    with (tmp_path / "log").open("wb") as log:
        agent = subprocess.Popen(
            [lab / "bin" / "python", "-P", AGENT, "--config-file", config],
            stdout=log,
            stderr=log,
            env=environ,
            start_new_session=True,
        )
    socket = tmp_path / "metadata_proxy"
    try:
        assert eventually(socket.exists, PATIENCE), (tmp_path / "log").read_text()[-3000:]
        yield socket
    finally:
        os.killpg(agent.pid, signal.SIGKILL)
        agent.wait()


def test_stock_agent(stock, nova):
    """A guest's request goes through both, and arrives signed, as the instance of its port."""
    # Neutron's agent without eventlet does not heed metadata_proxy_socket_mode: only its own user
    # may connect.
    with RelayHost(user=0, agent_socket=stock) as host:
        guest = host.networks.isolated(f"qdhcp-{uuid4()}")
        assert eventually(lambda: guest.ask() == BODY.decode(), PATIENCE), host.logs()
        arrived = [line.lower() for line in nova.requests[-1][0]]
        assert f"x-instance-id: {INSTANCE}" in arrived
        assert "x-forwarded-for: 192.0.2.10" in arrived
        assert host.ready()["checks"]["agent"] == "ok"
