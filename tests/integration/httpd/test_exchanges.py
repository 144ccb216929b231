"""Requests and responses, byte for byte, over real sockets."""

import http.client
import socket
import subprocess
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
import requests

from firstlight.httpd.limits import Limits
from firstlight.httpd.protocol.messages import Response
from firstlight.httpd.sockets.listening import Tcp, Unix
from support.parts import absent, need
from support.servers.http_server import Serving, answers, read_all

QUICK = {"sweep": 0.02}


def echo(request):
    """Says what was asked."""
    text = f"{request.method} {request.target} {request.listener} {request.peer}|".encode()
    return Response(200, text + request.body)


@pytest.fixture(scope="module")
def serving():
    with Serving(echo, stands_for="net-1") as server:
        yield server


@pytest.fixture
def pool():
    with ThreadPoolExecutor(4) as threads:
        yield threads


@pytest.fixture(params=[0, 1], ids=["whole", "byte by byte"])
def step(request):
    return request.param


def test_exact_bytes(step):
    """The whole response is these bytes."""
    with Serving(lambda _: Response(200, b"hello", b"text/x"), trust=True) as server:
        data = server.talk(
            b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
            b"X-OpenStack-Request-Id: req-12345678-1234-1234-1234-123456789abc\r\n\r\n",
            step,
        )
    assert data == (
        b"HTTP/1.1 200 OK\r\nContent-Type: text/x\r\nContent-Length: 5\r\n"
        b"X-OpenStack-Request-Id: req-12345678-1234-1234-1234-123456789abc\r\n"
        b"Connection: close\r\n\r\nhello"
    )


def test_request_ids_of_strangers_are_not_taken_over(serving):
    """Where ids are not trusted, every response has one of ours."""
    brought = "req-12345678-1234-1234-1234-123456789abc"
    answer = requests.get(
        f"http://127.0.0.1:{serving.port}/", headers={"X-OpenStack-Request-Id": brought}, timeout=10
    )
    assert answer.headers["X-OpenStack-Request-Id"] != brought
    assert answer.headers["X-OpenStack-Request-Id"].startswith("req-")


def test_listener_and_peer_arrive(serving):
    """A request knows by which listener it came, and from whom."""
    assert requests.get(f"http://127.0.0.1:{serving.port}/x", timeout=10).text == (
        "GET /x net-1 127.0.0.1|"
    )


def test_pipelined_in_order(serving, step):
    """Requests sent at once are answered in their order."""
    data = b"".join(b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n" % n for n in range(5))
    data += b"GET /end HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    bodies = [answer.body.split()[1] for answer in answers(serving.talk(data, step))]
    assert bodies == [b"/0", b"/1", b"/2", b"/3", b"/4", b"/end"]


def test_pipelined_behind_a_cold_answer(pool, step):
    """A hot answer waits for the cold one before it; a refusal waits for both."""

    def handler(request):
        if request.target == "/cold":
            return pool.submit(lambda: time.sleep(0.1) or Response(200, b"cold"))
        return Response(200, b"hot")

    with Serving(handler) as server:
        data = b"GET /cold HTTP/1.1\r\nHost: a\r\n\r\nGET /hot HTTP/1.1\r\nHost: a\r\n\r\nbad\n"
        got = answers(server.talk(data, step))
    assert [(answer.status, answer.body[:4]) for answer in got[:2]] == [
        (200, b"cold"),
        (200, b"hot"),
    ]
    assert got[2].status == 501


def test_too_much_pipelining(pool):
    """Past the limit the connection ends behind the last answer; nothing is answered wrongly."""
    held = Future()
    with Serving(lambda _: held, limits=Limits(pipeline=3)) as server, server.connect() as client:
        client.sendall(b"".join(b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n" % n for n in range(50)))
        time.sleep(0.1)
        held.set_result(Response(200, b"x"))
        got = answers(read_all(client))
    assert len(got) == 4
    assert got[-1].headers["Connection"] == "close"


def test_head(serving, step):
    """HEAD has the length of GET's body and no body, on a connection that goes on."""
    one = b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n"
    last = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    head, get = answers(serving.talk(one + last, step), "HEAD", "GET")
    assert head.headers["Content-Length"] == str(len(get.body) + 1)  # "HEAD" is one longer
    assert head.body == b""


def test_http_1_0(serving, step):
    """HTTP/1.0 closes, unless it asks not to; then it is told."""
    got = answers(serving.talk(b"GET / HTTP/1.0\r\n\r\n", step))
    assert got[0].headers["Connection"] == "close"
    kept = b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"
    first, second = answers(serving.talk(kept + b"GET / HTTP/1.0\r\n\r\n", step))
    assert first.headers["Connection"] == "keep-alive"
    assert second.headers["Connection"] == "close"


def test_chunked_body(serving, step):
    """A chunked body arrives whole."""
    data = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    data += b"3\r\nabc\r\n10\r\n0123456789abcdef\r\n0\r\n\r\n"
    assert answers(serving.talk(data, step))[0].body.endswith(b"|abc0123456789abcdef")


def test_continue(serving):
    """A client that waits for 100 Continue gets it, then the answer."""
    with serving.connect() as client:
        client.sendall(
            b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n"
            b"Connection: close\r\n\r\n"
        )
        assert client.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.sendall(b"xy")
        assert answers(read_all(client))[0].body.endswith(b"|xy")


def test_continue_behind_a_cold_answer():
    """100 Continue does not overtake the answer to the request before."""
    held = Future()
    with (
        Serving(lambda r: held if r.method == "GET" else echo(r)) as server,
        server.connect() as client,
    ):
        client.sendall(
            b"GET / HTTP/1.1\r\nHost: a\r\n\r\nPOST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n"
            b"Expect: 100-continue\r\nConnection: close\r\n\r\n"
        )
        time.sleep(0.05)
        held.set_result(Response(200, b"first"))
        received = b""
        while b"100 Continue\r\n\r\n" not in received:
            received += client.recv(1000)
        client.sendall(b"xy")
        got = answers(received + read_all(client))
    assert [answer.status for answer in got] == [200, 100, 200]


def test_too_large_a_body_is_refused_before_it_is_sent(serving):
    """Who announces too much is told so and not asked to go on."""
    data = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9999999\r\nExpect: 100-continue\r\n\r\n"
    assert [answer.status for answer in answers(serving.talk(data))] == [413]


def test_refusal_can_be_read_while_sending():
    """The refusal of a body is readable although more of the body was on its way."""
    limits = Limits(body=1000)
    data = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5000000\r\n\r\n" + b"x" * 5_000_000
    with Serving(echo, limits=limits) as server:
        assert answers(server.talk(data))[0].status == 413
        assert server.counts.refused == {"body-large": 1}


def test_service_words_its_own_refusals(step):
    """What the wire refuses is answered in the service's words and status."""
    heard = []

    def refusal(status, reason, request):
        heard.append((status, request))
        return Response(400, b"mine", b"text/html")

    with Serving(echo, refusal=refusal) as server:
        got = answers(server.talk(b"GET / HTTP/2.0\r\nHost: a\r\n\r\n", step))
    assert (got[0].status, got[0].body, heard) == (400, b"mine", [(505, None)])


def test_crash_is_a_500_and_the_connection_goes_on(caplog, step):
    """A handler that raises is one logged 500; the next request is answered."""

    def handler(request):
        if request.target == "/crash":
            raise RuntimeError("a detail")
        if request.target == "/split":
            return Response(200, headers=((b"X", b"a\r\nb"),))
        if request.target == "/late":
            future = Future()
            future.set_exception(RuntimeError("a detail"))
            return future
        return Response(200)

    with Serving(handler) as server:
        paths = (b"crash", b"late", b"split", b"well")
        data = b"".join(b"GET /%b HTTP/1.1\r\nHost: a\r\n\r\n" % path for path in paths)
        data = data[:-2] + b"Connection: close\r\n\r\n"
        got = answers(server.talk(data, step))
    assert [answer.status for answer in got] == [500, 500, 500, 200]
    assert b"detail" not in got[0].body + got[1].body
    assert caplog.text.count("RuntimeError: a detail") == 2
    assert got[0].headers["X-OpenStack-Request-Id"] in caplog.text


def test_cold_answer_does_not_hold_up_others(pool):
    """While one connection waits for a cold answer, another gets a hot one."""
    held = Future()
    with Serving(lambda r: held if r.target == "/cold" else Response(200)) as server:
        waiting = pool.submit(requests.get, f"http://127.0.0.1:{server.port}/cold", timeout=10)
        assert requests.get(f"http://127.0.0.1:{server.port}/hot", timeout=10).status_code == 200
        assert not waiting.done()
        held.set_result(Response(200, b"cold"))
        assert waiting.result().text == "cold"


def test_late_answer_is_503_and_the_connection_goes_on():
    """A cold answer that does not come in time is a 503; what comes later is dropped."""
    held = Future()
    limits = Limits(answer_time=0.05, **QUICK)
    with Serving(lambda r: held if r.target == "/cold" else Response(200), limits=limits) as server:
        session = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
        session.request("GET", "/cold")
        late = session.getresponse()
        assert (late.status, late.read()) == (
            503,
            b"The answer took too long to find; try again.\n",
        )
        held.set_result(Response(200, b"cold"))
        session.request("GET", "/hot")
        assert session.getresponse().status == 200
        assert server.counts.in_flight == 0
        session.close()


def test_peer_gone_before_a_cold_answer(caplog):
    """The answer for somebody who has gone is dropped without a word."""
    held = Future()
    with Serving(lambda r: held if r.target == "/cold" else Response(200)) as server:
        client = server.connect()
        client.sendall(b"GET /cold HTTP/1.1\r\nHost: a\r\n\r\n")
        while not server.counts.in_flight:
            time.sleep(0.01)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        client.close()  # a reset
        while server.counts.open:
            time.sleep(0.01)
        held.set_result(Response(200, b"cold"))
        assert requests.get(f"http://127.0.0.1:{server.port}/", timeout=10).status_code == 200
        assert server.counts.in_flight == 0
    assert caplog.text == ""


def test_half_closed_peer_is_answered():
    """A client that has closed its sending half still gets its cold answer."""
    held = Future()
    threading.Timer(0.1, held.set_result, [Response(200, b"cold")]).start()
    with Serving(lambda _: held) as server:
        data = server.talk(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", shut=True)
    assert answers(data)[0].body == b"cold"


def test_cut_short(serving):
    """A request whose sender stops in the middle is refused, not answered."""
    got = answers(serving.talk(b"GET / HTTP/1.1\r\nHo", shut=True))
    assert got[0].status == 400


def test_large_response_to_a_slow_reader():
    """A response larger than all buffers arrives whole; requests behind it are answered."""
    body = b"x" * 3_000_000
    with Serving(lambda _: Response(200, body)) as server, server.connect() as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n" * 2)
        client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        time.sleep(0.1)
        got = answers(read_all(client))
    assert [answer.body == body for answer in got] == [True] * 3


def test_unix_socket(tmp_path):
    """On a unix socket the peer has no address."""
    path = str(tmp_path / "s")
    with Serving(echo, address=Unix(path)), socket.socket(socket.AF_UNIX) as client:
        client.connect(path)
        client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        assert answers(read_all(client))[0].body == b"GET / None |"


def test_ipv6():
    """On IPv6 the peer's address is as it is written elsewhere."""
    if not socket.has_ipv6:
        absent("this Python has no IPv6")
    with Serving(echo, address=Tcp("::1", 0)) as server:
        assert requests.get(f"http://[::1]:{server.port}/", timeout=10).text == "GET / None ::1|"


def test_curl(serving):
    """curl, with --http2's offer to upgrade, with a body that waits for 100 Continue, with HEAD."""
    url = f"http://127.0.0.1:{serving.port}/x"
    curl = [need("curl"), "-sS", "--max-time", "10", url]
    run = lambda *more: subprocess.run([*curl, *more], check=True, capture_output=True).stdout  # noqa: E731  said once, used below
    assert run("--http2") == b"GET /x net-1 127.0.0.1|"
    large = "z" * 5000
    assert run("-H", "Expect: 100-continue", "-d", large).endswith(b"|" + large.encode())
    assert b"Content-Length: 24" in run("-I")
    assert run("-H", "Transfer-Encoding: chunked", "-d", "ab").endswith(b"|ab")


def test_http_client_keeps_its_connection(serving):
    """The standard library's client and requests keep one connection for many requests."""
    before = serving.counts.accepted
    session = http.client.HTTPConnection("127.0.0.1", serving.port, timeout=10)
    for _ in range(5):
        session.request("GET", "/")
        assert session.getresponse().read().startswith(b"GET / ")
    session.close()
    with requests.Session() as kept:
        for _ in range(5):
            assert kept.get(f"http://127.0.0.1:{serving.port}/", timeout=10).ok
    assert serving.counts.accepted == before + 2


def test_observer_sees_each_response():
    """After each response the observer of its listener is told, refusals included."""
    seen = []

    def observe(listener):
        return lambda request, response, seconds: seen.append(
            (listener, request.target, response.status, seconds >= 0)
        )

    with Serving(echo, observe=observe) as server:
        server.talk(b"GET /a HTTP/1.1\r\nHost: a\r\n\r\nnonsense")
    assert seen == [("test", "/a", 200, True), ("test", "-", 501, True)]
    assert server.counts.statuses == {200: 1, 501: 1}
