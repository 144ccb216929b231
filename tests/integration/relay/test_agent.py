"""What a guest gets of the agent, and an upstream of the guest, over real sockets."""

import asyncio
import gzip
import hashlib
import hmac
import socket
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from msgspec.structs import replace

from firstlight.relay.address import Tcp
from firstlight.relay.contract import Ambiguous, Found, Nobody, Place, Unavailable, Via
from firstlight.relay.upstream import Upstream
from firstlight.relay.upstreams import Upstreams
from firstlight.wire.limits import Limits
from relaying import (
    ADDRESS,
    FOUND,
    INSTANCE,
    NETWORK,
    PROJECT,
    ROUTER,
    SECRET,
    Known,
    Upstreamed,
    an_agent,
    ask,
    guest,
    head,
    plain,
    responding,
)
from servers import free_port
from wired import PATIENCE, answers, read_all


def sent_to(upstream):
    """The last request's first line, headers and body."""
    (first, *lines), body = upstream.requests[-1]
    pairs = [line.split(": ", 1) for line in lines]
    headers = {name.lower(): value for name, value in pairs}
    assert len(headers) == len(pairs), "a header twice"
    return first, headers, body


def test_signed_and_passed_on():
    """The upstream gets Nova's four headers, the request's id, a hint of the client, no more."""
    with responding(plain(body=b"2012-08-10\n")) as upstream, an_agent(upstream.port) as agent:
        answer = ask(agent, "User-Agent: Cloud-Init/25.1", "Accept: text/html", "X-Other: 1")
        first, headers, _ = sent_to(upstream)
    assert (answer.status, answer.body) == (200, b"2012-08-10\n")
    assert first == "GET /openstack HTTP/1.1"
    assert headers == {
        "host": f"127.0.0.1:{upstream.port}",
        "x-instance-id": INSTANCE,
        "x-tenant-id": PROJECT,
        "x-instance-id-signature": hmac.digest(
            SECRET.encode(), INSTANCE.encode(), hashlib.sha256
        ).hex(),
        "x-forwarded-for": ADDRESS,
        "x-openstack-request-id": answer.headers["X-OpenStack-Request-Id"],
        "user-agent": "Cloud-Init/25.1",
    }


@pytest.mark.parametrize(
    ("secret", "signature"),
    [
        ("s3cret", "0423ac5ab426fe85654f33cf6ebc38df4ce8ffe5bf842017ce9f21a5bd299eae"),
        ("", "57804cc1e9d6979bf94fe74fbd39582dee24575069b6d5ef9a3c2066f2fc6a26"),
    ],
)
def test_signature(secret, signature):
    """It is what Neutron's agent makes of the same secret and instance id."""
    from firstlight.relay.agent import _identity

    found = Found("inst-1", "p", "port", "fa:16:3e:00:00:01")
    assert f"X-Instance-ID-Signature: {signature}\r\n" in _identity(found, secret)


FORGED = [
    (f"X-Neutron-Router-ID: {ROUTER}", 400),
    (f"X-Neutron-Network-ID: {ROUTER}", 400),
    (f"X-OVN-Network-ID: {ROUTER}", 400),
    ("X-Forwarded-For: 192.0.2.99", 200),
    ("X-Forwarded-For: no address at all", 200),
    ("X-Instance-ID: forged", 200),
    ("X-Instance-ID-Signature: forged", 200),
    ("X-Tenant-ID: forged", 200),
    ("X-Metadata-Provider: forged", 200),
    ("X-Metadata-Provider-Signature: forged", 200),
    ("Firstlight-Stale: forged", 200),
    ("X-OpenStack-Request-Id: req-00000000-0000-0000-0000-000000000000", 200),
    ("Forwarded: for=192.0.2.99", 200),
    ("X-aws-ec2-metadata-token: forged", 200),
]


@pytest.mark.parametrize(("line", "status"), FORGED, ids=[line for line, _ in FORGED])
def test_forged(line, status):
    """What a guest adds through a stock proxy is refused or harmless; its answer is its own."""
    with responding(plain()) as upstream, an_agent(upstream.port) as agent:
        assert ask(agent, line).status == status
        if status == 200:
            _, headers, _ = sent_to(upstream)
            assert headers["x-instance-id"] == INSTANCE
            assert headers["x-forwarded-for"] == ADDRESS
            assert "forged" not in str(headers.values())
            assert "00000000-0000-0000" not in headers["x-openstack-request-id"]
        else:
            assert upstream.requests == []


def test_where_we_are_the_proxy():
    """On a listener of a place every id and address header is only the guest's."""
    place = Place(Via.ROUTER, ROUTER)
    known = Known({guest("127.0.0.1", Via.ROUTER, ROUTER): FOUND})
    with (
        responding(plain()) as upstream,
        an_agent(upstream.port, recognition=known, place=place) as agent,
    ):
        for line in [f"{via.value}: {NETWORK}" for via in Via]:
            assert ask(agent, line).status == 200
        assert sent_to(upstream)[1]["x-forwarded-for"] == "127.0.0.1"


@pytest.mark.parametrize("later", [False, True], ids=["at once", "later"])
@pytest.mark.parametrize(
    ("resolution", "status"),
    [(FOUND, 200), (Nobody(), 404), (Ambiguous(("a", "b")), 404), (Unavailable("away"), 503)],
    ids=["found", "nobody", "ambiguous", "unavailable"],
)
def test_four_answers(resolution, status, later, caplog):
    """One port is answered; none and several are 404, the log names them; not asked is 503."""
    known = Known({guest(): resolution}, later=later)
    with responding(plain()) as upstream, an_agent(upstream.port, recognition=known) as agent:
        answer = ask(agent)
    assert answer.status == status
    assert (answer.headers.get("Retry-After") is not None) == (status == 503)
    if isinstance(resolution, Ambiguous):
        assert "a, b" in caplog.text
        assert b"a, b" not in answer.body
    if isinstance(resolution, Unavailable):
        assert "away" in caplog.text


@pytest.mark.parametrize("instance_id", ["", "a b", "a\r\nX-Tenant-ID: x", "é", "x" * 300])
def test_device_id_that_is_no_instance(instance_id):
    """A port's device id is its maker's to write; what is no word is not signed."""
    known = Known({guest(): Found(instance_id, PROJECT, "port", "fa:16:3e:00:00:01")})
    with responding(plain()) as upstream, an_agent(upstream.port, recognition=known) as agent:
        assert ask(agent).status == 404
        assert upstream.requests == []


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


# What goes wrong.


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
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nbb8\r\n" + b"x" * 3000,
    ],
    ids=["hangs up", "half", "no HTTP", "other protocol", "huge head", "huge", "huge chunk"],
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


def test_look_up_that_hangs():
    """A look-up that does not end is 503 at the deadline, and is not cancelled for others."""
    from concurrent.futures import Future

    never = Future()

    class Hanging(Known):
        def find(self, who):
            return never

    with an_agent(free_port(), recognition=Hanging(), deadline=0.2) as agent:
        failed(agent, 503)
    assert not never.cancelled()


def test_too_large_a_request():
    """A body past the bound is refused in plain text, before anybody is asked."""
    with an_agent(free_port(), limits=Limits(body=1000)) as agent:
        answer = ask(agent, "Content-Length: 1001", method="POST", body=b"x" * 1001)
        assert answer.status == 413
        assert answer.body.startswith(b"413")


def test_a_quiet_upstream_is_looked_at():
    """That a metadata service has gone is known although no guest asks; that it is back, too."""
    port = free_port()
    upstream = Upstream(Tcp("127.0.0.1", port), connections=4, connect_timeout=2.0, max_body=1000)
    upstreams = Upstreams([upstream], probe=0.02, quiet=0.1)

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
