"""TLS, with and without a client certificate."""

import ssl
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from firstlight.httpd.limits import Limits
from firstlight.httpd.protocol.messages import Response
from support.servers.certificates import context, make_certificates
from support.servers.databases import eventually
from support.servers.http_server import Serving, answers, read_all


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    """A directory of them."""
    return make_certificates(tmp_path_factory.mktemp("tls"))


def get(server, home, **more):
    return requests.get(
        f"https://127.0.0.1:{server.port}/", verify=str(home / "ca.crt"), timeout=10, **more
    )


def test_tls(certificates):
    """An answer over TLS, kept alive or not, large or small."""
    body = b"x" * 500_000
    with Serving(lambda _: Response(200, body), tls=context(certificates)) as server:
        assert get(server, certificates).content == body
        assert get(server, certificates, headers={"Connection": "close"}).content == body


def test_cold_answer_over_tls(certificates):
    """A cold answer arrives over TLS, and the connection goes on."""
    with ThreadPoolExecutor(1) as threads:
        cold = lambda _: threads.submit(lambda: time.sleep(0.05) or Response(200, b"cold"))  # noqa: E731  said once, used below
        with (
            Serving(cold, tls=context(certificates)) as server,
            requests.Session() as session,
        ):
            url = f"https://127.0.0.1:{server.port}/"
            for _ in range(3):
                answer = session.get(url, verify=str(certificates / "ca.crt"), timeout=10)
                assert answer.text == "cold"
            assert server.counts.accepted == 1


def test_known_client(certificates):
    """With a certificate of the CA a client is answered."""
    tls = context(certificates, ask_client=True)
    with Serving(lambda _: Response(200, b"hello"), tls=tls) as server:
        assert get(server, certificates, cert=str(certificates / "client.pem")).text == "hello"


@pytest.mark.parametrize("name", [None, "stranger.pem"])
def test_unknown_client(certificates, name):
    """Without one, or with another's, it is not; the server goes on."""
    tls = context(certificates, ask_client=True)
    with Serving(lambda _: Response(200, b"hello"), tls=tls) as server:
        with pytest.raises(requests.RequestException):
            get(server, certificates, cert=name and str(certificates / name))
        assert get(server, certificates, cert=str(certificates / "client.pem")).text == "hello"


def test_refusal_over_tls(certificates):
    """A refusal arrives over TLS too, and the connection ends."""
    trust = ssl.create_default_context(cafile=certificates / "ca.crt")
    with (
        Serving(lambda _: Response(200), tls=context(certificates)) as server,
        trust.wrap_socket(server.connect(), server_hostname="127.0.0.1") as client,
    ):
        client.sendall(b"GET / HTTP/1.1\r\nno colon\r\n\r\n")
        assert answers(read_all(client))[0].status == 400


def test_plain_http_on_a_tls_port(certificates):
    """Somebody who speaks no TLS is closed and leaves nothing behind."""
    limits = Limits(head_time=0.3, sweep=0.02)
    with Serving(lambda _: Response(200), tls=context(certificates), limits=limits) as server:
        server.talk(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        with server.connect() as silent:
            assert read_all(silent) == b""
        assert eventually(lambda: server.counts.open == 0)
        assert get(server, certificates).status_code == 200
