"""What passes the agent, both ways: bodies, methods, headers and statuses, whole and bounded."""

import gzip
from concurrent.futures import ThreadPoolExecutor

import pytest

from firstlight.httpd.limits import Limits
from support.relay.agent_thread import Upstreamed, an_agent, ask, head, plain, responding, sent_to
from support.servers.databases import free_port
from support.servers.http_server import answers, read_all

STATUSES = [
    200, 201, 204, 206, 299, 301, 304, 400, 401, 403, 404, 405, 409, 418, 429, 500, 501, 502,
    503, 504, 599,
]  # fmt: skip


@pytest.mark.parametrize("status", STATUSES)
def test_every_status(status):
    """Each status of the upstream's passes, with its type, its headers and its body."""
    body = b"" if status in (204, 304) else b"said the upstream"
    lines = ("Location: http://elsewhere/", "ETag: x", "Set-Cookie: a=1", "Server: s")
    with responding(plain(status, body, *lines)) as upstream, an_agent(upstream.port) as agent:
        answer = ask(agent)
    assert (answer.status, answer.body) == (status, body)
    assert {"Location", "ETag", "Set-Cookie", "Server"} <= answer.headers.keys()
    assert answer.headers["Content-Type"] == "text/plain"


def test_headers_of_the_connection_stay():
    """What concerns the upstream's connection is not passed on."""
    lines = ("Connection: keep-alive, X-Mine", "Keep-Alive: timeout=5", "X-Mine: 1", "X-Yours: 2")
    with responding(plain(200, b"x", *lines)) as upstream, an_agent(upstream.port) as agent:
        headers = ask(agent).headers
    assert "X-Mine" not in headers and "Keep-Alive" not in headers
    assert headers["X-Yours"] == "2"


BINARY = bytes(range(256)) * 64


@pytest.mark.parametrize(
    ("response", "body"),
    [
        (plain(200, BINARY), BINARY),
        (plain(200, gzip.compress(b"#!/bin/sh")), gzip.compress(b"#!/bin/sh")),
        (plain(200, gzip.compress(b"x"), "Content-Encoding: gzip"), gzip.compress(b"x")),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n", b"hi"),
        (b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi", b"hi"),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", b"hi"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", b""),
    ],
    ids=["binary", "gzip", "encoded", "chunked", "close", "continue", "empty"],
)
def test_bodies(response, body):
    """Whatever the framing, the bytes arrive as they were sent, and nothing is unpacked."""
    with responding(response) as upstream, an_agent(upstream.port) as agent:
        for _ in range(2):
            answer = ask(agent)
            assert (answer.status, answer.body) == (200, body)
    assert ("Content-Encoding" in answer.headers) == (b"Content-Encoding" in response)


def test_body_until_the_end_of_the_connection():
    """A response without a length ends with its connection."""
    close = b"HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\nall of it"
    with responding(close, hang_up=True) as upstream, an_agent(upstream.port) as agent:
        assert ask(agent).body == b"all of it"
        assert ask(agent).body == b"all of it"


def test_large_bodies():
    """Headers and bodies far past 4096 bytes arrive whole, in both directions."""
    big = BINARY * 32  # 512 KiB
    with responding(plain(200, big)) as upstream, an_agent(upstream.port) as agent:
        lines = [f"X-Filler-{n}: {'x' * 1000}" for n in range(20)]
        answer = ask(
            agent, *lines, f"Content-Length: {len(big)}", method="POST", body=big, target="/p"
        )
        assert (answer.status, answer.body) == (200, big)
        assert sent_to(upstream)[2] == big


def test_too_large_a_request():
    """A body past the bound is refused in plain text, before anybody is asked."""
    with an_agent(free_port(), limits=Limits(body=1000)) as agent:
        answer = ask(agent, "Content-Length: 1001", method="POST", body=b"x" * 1001)
        assert answer.status == 413
        assert answer.body.startswith(b"413")


def test_chunked_request():
    """A chunked body reaches the upstream as a body, not as its framing."""
    with responding(plain()) as upstream, an_agent(upstream.port) as agent:
        body = b"4\r\npass\r\n4\r\nword\r\n0\r\n\r\n"
        assert ask(agent, "Transfer-Encoding: chunked", method="POST", body=body).status == 200
        assert sent_to(upstream)[2] == b"password"


def test_continue():
    """Whoever waits for 100 Continue gets it, and its body arrives."""
    with responding(plain()) as upstream, an_agent(upstream.port) as agent:
        with agent.connect() as client:
            client.sendall(head("Expect: 100-continue", "Content-Length: 4", method="POST"))
            assert client.recv(100).startswith(b"HTTP/1.1 100 ")
            client.sendall(b"word")
            [answer] = answers(read_all(client))
        assert answer.status == 200
        assert sent_to(upstream)[2] == b"word"


@pytest.mark.parametrize("framing", ["Content-Length: 1234", "Transfer-Encoding: chunked"])
def test_head(framing):
    """HEAD says what the upstream says of the body, has none, and the next request is its own."""
    response = f"HTTP/1.1 200 OK\r\nContent-Type: text/x\r\n{framing}\r\n\r\n".encode()

    def script(request, number):
        return response if request[0][0].startswith("HEAD") else plain()

    with Upstreamed(script) as upstream, an_agent(upstream.port) as agent:
        answer = ask(agent, method="HEAD")
        assert answer.status == 200
        assert answer.headers.get("Content-Length") == ("1234" if "1234" in framing else None)
        assert ask(agent).body == b"hello"


@pytest.mark.parametrize("method", ["PUT", "POST", "DELETE", "OPTIONS", "PATCH"])
def test_methods(method):
    """Every method passes but TRACE, which would show the guest its signature."""
    with responding(plain()) as upstream, an_agent(upstream.port) as agent:
        assert ask(agent, method=method).status == 200
        assert sent_to(upstream)[0].startswith(method)
        assert ask(agent, method="TRACE").status == 405
        assert len(upstream.requests) == 1


def test_target_is_untouched():
    """Path and query arrive as the guest wrote them."""
    target = "/latest//meta-data/%7Ea/../b?x=1&y=%20"
    with responding(plain()) as upstream, an_agent(upstream.port) as agent:
        ask(agent, target=target)
        assert sent_to(upstream)[0] == f"GET {target} HTTP/1.1"


def test_user_agent_is_bounded():
    """The hint is cut, and nothing in it can end a line."""
    with responding(plain()) as upstream, an_agent(upstream.port) as agent:
        ask(agent, f"User-Agent: é{'x' * 5000}")
        assert sent_to(upstream)[1]["user-agent"] == "?" + "x" * 255


def test_kept_connection():
    """One connection serves one request after another."""
    with responding(plain()) as upstream, an_agent(upstream.port) as agent:
        assert {ask(agent).status for _ in range(20)} == {200}
        assert upstream.connections == 1


def test_a_guest_keeps_its_connection():
    """One connection of a proxy's serves one request after another, of one guest or of several."""
    kept = head().replace(b"Connection: close\r\n", b"")
    with responding(plain()) as upstream, an_agent(upstream.port) as agent:
        told = answers(agent.talk(kept + kept + head(address="192.0.2.77")))
    assert [answer.status for answer in told] == [200, 200, 404]


def test_forty_at_the_same_moment():
    """Forty guests that ask at once, through few connections, are all answered."""
    with responding(plain()) as upstream, an_agent(upstream.port, connections=4) as agent:
        with ThreadPoolExecutor(40) as pool:
            statuses = [one.status for one in pool.map(lambda _: ask(agent), range(40))]
        assert statuses == [200] * 40
        assert upstream.connections <= 4
