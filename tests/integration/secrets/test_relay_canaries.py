"""The relay's processes with canaries in their files: no log, page or argument has one.

A broker, and a proxy that signs by itself and speaks TLS with the metadata service; ovnmeta, whose
southbound database wants a certificate. Their files are those of a whole agent of Neutron's, so
they hold what these processes never use. Logs are at DEBUG, as lines and as JSON.
"""

import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from uuid import uuid4

import pytest

from conformance.asking import signature
from firstlight.httpd.protocol.messages import Request, Response
from firstlight.sources.store import Store
from integration.relay.test_ovn_tls import Secure
from integration.relay.test_ovnmeta import Place
from integration.secrets.test_canaries import LOGGING, _arguments, _values
from lab.relay.node import Node
from support.cloud.store_samples import interface, server, uuid
from support.relay.agent_process import FIRSTLIGHT
from support.relay.relay_host import RelayHost
from support.servers.certificates import context, make_certificates
from support.servers.databases import eventually
from support.servers.http_server import Serving
from support.servers.own_host import OwnHost

PATIENCE = 60
SHARED, USER_DATA, PASSWORD = (f"canary-{kind}" for kind in ("shared", "user-data", "password"))
FOREIGN = """\
transport_url = rabbit://me:canary-rabbit@127.0.0.1:9/
metadata_proxy_shared_secret = canary-shared
log_config_append = {home}/logging.conf
"""
OTHERS = """\
[database]
connection = mysql+pymysql://neutron:canary-database@127.0.0.1:9/neutron
[keystone_authtoken]
password = canary-keystone
"""
RELAY = """\
nova_metadata_protocol = https
nova_metadata_host = 127.0.0.1
nova_metadata_port = {port}
auth_ca_cert = {home}/ca.crt
nova_client_cert = {home}/client.crt
nova_client_priv_key = {home}/client.key
[store]
connection = sqlite:///{home}/store.sqlite
"""
SOUTHBOUND = """\
[ovn]
ovn_sb_connection = {remote}
ovn_sb_private_key = {home}/client.key
ovn_sb_certificate = {home}/client.crt
ovn_sb_ca_cert = {home}/ca.crt
"""


@pytest.fixture
def home() -> Iterator[Path]:
    """Certificates, and where the logs go; any user may write there."""
    made = Path(tempfile.mkdtemp(prefix="firstlight-canaries-"))
    make_certificates(made)
    (made / "logging.conf").write_text(LOGGING.format(file=f"{made}/json.log"))
    (made / "json.log").touch()
    for path in (made, *made.iterdir()):
        path.chmod(0o777)
    yield made
    shutil.rmtree(made, ignore_errors=True)


def has_none(home: Path, heard: str) -> None:
    """Nothing of what was heard, nor of the log of JSON lines, is a secret or does anything odd."""
    lines = (home / "json.log").read_text().splitlines()
    texts = [heard, *(value for line in lines for value in _values(line))]
    key = (home / "client.key").read_text().splitlines()[1]
    signed = signature(SHARED, uuid(1))
    found = [text for text in texts for bad in ("canary-", key, signed) if bad in text]
    assert not found, found
    odd = [text for text in texts if not text.replace("\n", "").replace("\t", "").isprintable()]
    assert not odd, odd
    assert [json.loads(line) for line in lines]


def test_proxy_and_broker(home: Path) -> None:
    """A guest is answered over TLS, sends a secret, and is there when everything goes wrong."""
    asked: list[Request] = []

    def service(request: Request) -> Response:
        asked.append(request)
        return Response(200, USER_DATA.encode())

    with ExitStack() as stack:
        upstream = ExitStack()
        stack.callback(upstream.close)
        tls = context(home, ask_client=True)
        port = upstream.enter_context(Serving(service, tls=tls)).port
        more = FOREIGN + RELAY + OTHERS
        host = stack.enter_context(
            RelayHost(more=more.format(home=home, port=port), agent_socket="", resolver="store")
        )
        name = str(uuid4())
        guest = host.networks.isolated(f"qdhcp-{name}", ipv6=False)
        store = Store.open(f"sqlite:///{home}/store.sqlite")
        store.prepare()
        store.add(server(1, interfaces=(interface("192.0.2.10", "192.0.2.0/24", name),)))
        store.close()
        (home / "store.sqlite").chmod(0o666)
        odd = ("-A", "a\x9b2J\u202eb", "-H", "X-Instance-ID-Signature: canary-signature")
        metadata = "169.254.169.254"
        assert eventually(lambda: guest.ask(metadata, *odd) == USER_DATA, PATIENCE), host.logs()
        assert guest.ask(metadata, "--data", PASSWORD) == USER_DATA
        assert asked[-1].header(b"x-instance-id-signature") == signature(SHARED, uuid(1))
        upstream.close()
        assert "canary" not in guest.ask(metadata, "--data", PASSWORD)
        (home / "store.sqlite").write_text("canary-store")
        guest.ask(metadata, *odd)
        pids = [process.process.pid for process in (host.broker, host.proxy) if process.process]
        access = (host.state / "access.log").read_text()
        heard = "\n".join([*map(_arguments, pids), host.metrics(), str(host.ready()), access])
        logs = host.broker.log.read_text() + host.proxy.log.read_text()
        assert "the metadata service did not answer" in logs
        assert " DEBUG " in logs
        assert uuid(1) in access
        has_none(home, heard.replace("\0", " ") + logs)


class OvnHost(Place):
    """With a file of a whole agent's, and TLS to the southbound database."""

    def __init__(self, node: Node, database: Secure, home: Path) -> None:
        super().__init__(node, database)
        self._text = f"[DEFAULT]\n{FOREIGN}{OTHERS}{SOUTHBOUND}".format(
            home=home, remote=database.secure
        )

    def _command(self, more: str = "") -> list[str | Path]:
        return [
            FIRSTLIGHT,
            "ovnmeta",
            f"--config-file={self.node.write('ovnmeta.conf', self._text + more)}",
        ]


def test_ovnmeta(home: Path) -> None:
    """It makes a namespace by what the database says, and does not start with a key it lacks."""
    with ExitStack() as stack:
        database = Secure(home, home)
        stack.callback(database.stop)
        database.start()
        host = stack.enter_context(OwnHost(home))
        for port in (database.port, int(database.secure.rpartition(":")[2])):
            host.reach(port)
        place = OvnHost(Node(host, home, home), database, home)
        place.node.start_switch(system_id=place.name)
        network = str(uuid4())
        datapath, _port = place.network(network)
        chassis = database.chassis(place.name)
        database.bind(datapath, "fa:16:3e:00:00:05 10.0.0.5", chassis=chassis)
        place.begin()
        assert place.becomes(network, "10.0.0.2"), place.node.logs()
        pid = place._running.pid if place._running else 0
        arguments = _arguments(pid).replace("\0", " ")
        assert "ovnmeta" in arguments
        log = home / "ovnmeta.log"
        assert eventually(lambda: f"namespace made: ovnmeta-{network}" in log.read_text(), PATIENCE)
        place.end()
        said = place.fail("[ovn]\novn_sb_private_key = /nowhere\n")
        assert "/nowhere" in said
        has_none(home, arguments + said + log.read_text())
