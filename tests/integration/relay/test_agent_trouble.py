"""Trouble upstream is a status of its own, or costs nothing where another try can help.

What was remembered of a guest is asked about again when it may be wrong, and called stale if old.
"""

import asyncio
import socket
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from msgspec.structs import replace

from firstlight.relay.contract import Found
from firstlight.relay.upstream.address import TcpUpstream
from firstlight.relay.upstream.balancer import Balancer
from firstlight.relay.upstream.client import UpstreamClient
from support.relay.agent_thread import (
    FOUND,
    INSTANCE,
    PROJECT,
    Known,
    Upstreamed,
    an_agent,
    ask,
    guest,
    plain,
    responding,
    sent_to,
)
from support.servers.databases import free_port
from support.servers.http_server import PATIENCE

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
FIELDS = b"".join(b"x-%d: y\r\n" % n for n in range(101))


def failed(agent, status, **how):
    """The answer has this status, and is the plain text that its type says."""
    answer = ask(agent, **how)
    assert answer.status == status
    assert answer.headers["Content-Type"] == "text/plain; charset=UTF-8"
    assert answer.body.decode().startswith(str(status))
    return answer


def test_refused_connection():
    """An upstream that is not there is 503; when it comes, the next request is answered."""
    port = free_port()
    with an_agent(port) as agent:
        assert failed(agent, 503).headers["Retry-After"] == "1"
        assert "refused" in agent.upstreams.trouble().lower()
        with socket.create_server(("127.0.0.1", port)) as listening, ThreadPoolExecutor() as pool:
            asking = pool.submit(ask, agent)
            connection, _ = listening.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(plain())
                assert asking.result().status == 200
        assert agent.upstreams.trouble() is None


def test_slow_upstream():
    """An upstream that does not answer is 504 at the deadline, and its connection is not reused."""
    said = threading.Event()

    def script(request, number):
        if number == 1:
            said.wait(10)
        return plain(body=str(number).encode())

    with Upstreamed(script) as upstream, an_agent(upstream.port, deadline=0.3) as agent:
        failed(agent, 504)
        said.set()
        assert ask(agent).body == b"2"


@pytest.mark.parametrize(
    "response",
    [
        None,
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
        b"SSH-2.0-OpenSSH\r\n",
        b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000,
        plain(200, b"x" * 3000),
        CHUNKED + b"bb8\r\n" + b"x" * 3000,
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70_000 + b"\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + FIELDS + b"Content-Length: 0\r\n\r\n",
        CHUNKED + b"0\r\n" + FIELDS + b"\r\n",
        CHUNKED + b"0\r\n" + b"x: y\r\n" * 101 + b"\r\n",
        CHUNKED + b"0\r\nx: " + b"y" * 100_000,
        CHUNKED + b"0\r\nx: " + b"y" * 70_000 + b"\r\n\r\n",
        CHUNKED + b"1;" + b"y" * 100_000,
        b"HTTP/1.1 100 Continue\r\n\r\n" * 3000,
    ],
    ids=[
        *("hangs up", "half", "no HTTP", "other protocol", "huge head", "huge", "huge chunk"),
        *(
            "large head",
            "fields",
            "trailers",
            "repeated trailers",
            "a trailer without end",
            "huge trailer",
        ),
        *("chunk extension", "interim responses"),
    ],
)
def test_broken_upstream(response):
    """An upstream that hangs up, says nonsense or too much is 502, and the next request goes on."""

    def script(request, number):
        return plain() if "/good" in request[0][0] else response

    half = response is not None and b"half" in response
    with (
        Upstreamed(script, hang_up=half) as upstream,
        an_agent(upstream.port, max_body=2000) as agent,
    ):
        failed(agent, 502)
        assert ask(agent, target="/good").status == 200


def test_trailers_of_an_upstream():
    """Trailers within the bounds are read and told to no guest; the connection is kept."""
    small = b"1\r\nx\r\n" * 900 + b"0\r\n" + b"x-t: y\r\n" * 90 + b"\r\n"
    with responding(CHUNKED + small) as upstream, an_agent(upstream.port) as agent:
        for _ in range(2):
            answer = ask(agent)
            assert (answer.status, answer.body) == (200, b"x" * 900)
            assert "X-T" not in {name.title() for name in answer.headers}
        assert upstream.connections == 1


def test_connection_closed_while_idle():
    """A kept connection that the upstream has closed meanwhile costs the guest nothing."""
    hung_up = threading.Event()

    def script(request, number):
        if number == 1 and len(upstream.requests) > 1:
            hung_up.set()
            return None  # asked by the old connection: hang up
        return plain(body=str(number).encode())

    with Upstreamed(script) as upstream, an_agent(upstream.port) as agent:
        assert ask(agent).body == b"1"
        assert ask(agent).body == b"2"
        assert hung_up.is_set()


def test_post_is_sent_once():
    """A POST that may have arrived is not sent again."""
    with responding(None) as upstream, an_agent(upstream.port) as agent:
        failed(agent, 502, method="POST")
        assert len(upstream.requests) == 1


def test_another_upstream():
    """While one upstream is not there the others answer everybody."""
    with responding(plain()) as first, responding(plain()) as second:
        with an_agent(first.port, free_port(), second.port) as agent:
            assert {ask(agent).status for _ in range(12)} == {200}
            assert first.requests and second.requests
            assert agent.upstreams.trouble() is None
            away = [one for one in agent.upstreams.all if one.trouble()]
        assert len(away) == 1
        assert away[0].asked < 6


def test_another_upstream_after_a_reset():
    """A GET goes to another upstream when the first hangs up on it."""
    with (
        responding(None) as first,
        responding(plain()) as second,
        an_agent(first.port, second.port) as agent,
    ):
        assert {ask(agent).status for _ in range(6)} == {200}


def test_a_quiet_upstream_is_looked_at():
    """That a metadata service has gone is known although no guest asks; that it is back, too."""
    port = free_port()
    upstream = UpstreamClient(
        TcpUpstream("127.0.0.1", port), connections=4, connect_timeout=2.0, max_body=1000
    )
    upstreams = Balancer([upstream], probe=0.02, quiet=0.1)

    async def looked_at():
        await upstreams.begin(None)
        await becomes(lambda: upstream.trouble() is not None)
        with Upstreamed(lambda request, number: plain(), hang_up=True, port=port):
            await becomes(lambda: upstream.trouble() is None)
        await becomes(lambda: upstream.trouble() is not None)
        upstreams._keeping.cancel()

    async def becomes(promise):
        async with asyncio.timeout(PATIENCE):
            while not promise():
                await asyncio.sleep(0.01)

    asyncio.run(looked_at())


def test_look_up_that_hangs():
    """A look-up that does not end is 503 at the deadline, and is not cancelled for others."""
    from concurrent.futures import Future

    never = Future()

    class Hanging(Known):
        def find(self, _who, _connection):
            return never

    with an_agent(free_port(), recognition=Hanging(), deadline=0.2) as agent:
        failed(agent, 503)
    assert not never.cancelled()


def test_reused_address():
    """A 404 for a remembered guest is asked about again; the new owner gets its own answer."""
    known = Known({guest(): Found("new", PROJECT, "port-2", "fa:16:3e:00:00:02")})
    known.kept[guest()] = FOUND

    def script(request, number):
        return plain(404 if f"X-Instance-ID: {INSTANCE}" in request[0] else 200)

    with Upstreamed(script) as upstream, an_agent(upstream.port, recognition=known) as agent:
        assert ask(agent).status == 200
        assert sent_to(upstream)[1]["x-instance-id"] == "new"


def test_known_from_before():
    """Who is vouched for while nobody can be asked is told so, and is not taken for another."""
    known = Known({guest(): replace(FOUND, stale=7)})
    known.kept[guest()] = FOUND
    with Upstreamed(lambda _request, _number: plain(404)) as upstream:
        with an_agent(upstream.port, recognition=known) as agent:
            assert "Firstlight-Stale" not in ask(agent).headers
        assert len(upstream.requests) == 1
        known.kept[guest()] = replace(FOUND, stale=7)
        with an_agent(upstream.port, recognition=known) as agent:
            assert ask(agent).headers["Firstlight-Stale"] == "identity; age=7"


def test_gone_since():
    """A remembered guest that nobody knows any more is 404, in our words."""
    known = Known({})
    known.kept[guest()] = FOUND
    with responding(plain(404)) as upstream, an_agent(upstream.port, recognition=known) as agent:
        assert b"No server is known" in ask(agent).body
