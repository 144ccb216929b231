"""The agent speaks TLS with the metadata service as metadata_agent.ini says."""

import pytest

from firstlight import conf
from firstlight.httpd.protocol.messages import Response
from firstlight.relay.upstream.deploy import open_balancer
from support.relay.agent_thread import an_agent, ask
from support.servers.certificates import context, make_certificates
from support.servers.http_server import Serving

AGENT = """\
[DEFAULT]
nova_metadata_protocol = https
nova_metadata_port = {port}
{more}
"""


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    """A directory of them."""
    return make_certificates(tmp_path_factory.mktemp("tls"))


def status(tmp_path, port, more):
    """What a guest gets, with these lines in the file."""
    file = tmp_path / "agent.ini"
    file.write_text(AGENT.format(port=port, more=more))
    [upstream] = open_balancer(conf.load("agent", [str(file)])).all
    with an_agent(upstream.address) as agent:
        return ask(agent).status


CLIENT = "\nnova_client_cert = {home}/client.crt\nnova_client_priv_key = {home}/client.key"
STRANGER = CLIENT.replace("client.", "stranger.")
TRUSTED = "auth_ca_cert = {home}/ca.crt"


@pytest.mark.parametrize(
    ("more", "ask_client", "expected"),
    [
        (TRUSTED, False, 200),
        ("", False, 503),
        ("auth_ca_cert = {home}/stranger.crt", False, 503),
        ("nova_metadata_insecure = true", False, 200),
        ("nova_metadata_insecure = true\nauth_ca_cert = /nowhere/ca.crt", False, 200),
        (TRUSTED + CLIENT, True, 200),
        (TRUSTED + CLIENT.partition("\nnova_client_priv_key")[0], True, 502),
        (TRUSTED + STRANGER, True, 502),
    ],
    ids=[
        "ca",
        "unknown",
        "other ca",
        "insecure",
        "insecure, and no ca",
        "client",
        "no key",
        "stranger",
    ],
)
def test_tls(tmp_path, certificates, more, ask_client, expected):
    """It verifies, unless told not to, and shows its own certificate if it has one with a key."""
    tls = context(certificates, ask_client=ask_client)
    with Serving(lambda _: Response(200, b"over TLS"), tls=tls) as server:
        assert status(tmp_path, server.port, more.format(home=certificates)) == expected
