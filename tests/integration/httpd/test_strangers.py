"""What strangers may cost: slow senders, slow readers, crowds, garbage."""

import os
import random
import resource
import socket
import time
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
import requests

from firstlight.httpd.limits import Limits
from firstlight.httpd.protocol.messages import Response
from support.servers.databases import eventually
from support.servers.http_server import Serving, answers, read_all

# Deadlines short enough for a test; the order of the real ones.
SHORT = Limits(
    sweep=0.02,
    head_time=0.3,
    body_time=0.3,
    idle_time=0.3,
    write_time=0.3,
    linger_time=0.3,
)
ONE = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


def hello(request):
    """Answers at once."""
    return Response(200, b"hello")


def healthy(server):
    """Whether an ordinary request is answered."""
    return requests.get(f"http://127.0.0.1:{server.port}/", timeout=10).text == "hello"


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"GET / HT", 408),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX-Slow: ", 408),
        (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc", 408),
    ],
    ids=["line", "head", "body"],
)
def test_slow_senders(sent, status):
    """A request that does not arrive in time is refused, and its connection ended."""
    with Serving(hello, limits=SHORT) as server:
        assert [answer.status for answer in answers(server.talk(sent))] == [status]
        assert healthy(server)


def test_trickling_does_not_help():
    """A byte now and then does not move the deadline."""
    with Serving(hello, limits=SHORT) as server, server.connect() as client:
        client.settimeout(0.05)
        received = b""
        for byte in ONE * 20:
            try:
                client.sendall(bytes([byte]) if byte != 0x0D else b"x")
                received = client.recv(1000)
            except TimeoutError:
                continue
            except OSError:
                break
            if received:
                break
        assert answers(received)[0].status == 408


@pytest.mark.parametrize("sent", [b"", b"\r\n\r\n", ONE], ids=["silent", "blank lines", "kept"])
def test_idle_connections_are_closed(sent):
    """Who has nothing to say is closed without a word."""
    with Serving(hello, limits=SHORT) as server:
        data = server.talk(sent)
    assert [answer.status for answer in answers(data)] == [200] * bool(sent == ONE)


def test_slow_readers_are_cut_off():
    """Who does not take its answers is cut off, and costs no more than the write buffer."""
    big = Response(200, b"x" * 1_000_000)
    with (
        Serving(lambda r: hello(r) if r.method == "GET" else big, limits=SHORT) as server,
        socket.socket() as client,
    ):
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect(server.address)
        client.sendall(b"POST / HTTP/1.1\r\nHost: a\r\n\r\n" * 10)
        assert eventually(lambda: server.counts.accepted and not server.counts.open)
        assert server.counts.statuses[200] < 10
        assert healthy(server)


def test_what_is_hot_is_answered_between_two_slices_of_what_is_not():
    """A crowd of requests that take the event loop's time holds a hot one up for a few of them."""
    order = []

    def slow(request):
        order.append("slow")
        time.sleep(0.01)
        return Response(200, b"slow")

    def hot(request):
        if request.target != "/hot":
            return None
        order.append("hot")
        return Response(200, b"hot")

    with Serving(slow, hot=hot) as server, ExitStack() as crowd:
        others = [crowd.enter_context(server.connect()) for _ in range(50)]
        for other in others:
            other.sendall(ONE)
        with server.connect() as client:
            client.sendall(ONE.replace(b"/", b"/hot", 1))
            assert answers(client.recv(10_000))[0].body == b"hot"
        for other in others:
            assert answers(other.recv(10_000))[0].body == b"slow"
    assert order.count("slow") == 50
    assert order.index("hot") < 45


def test_a_listener_without_kept_connections():
    """Each connection ends, orderly, with its first answer, which says so."""
    with Serving(hello, kept=False) as server:
        first, *others = answers(server.talk(ONE + ONE))
    assert (first.status, others) == (200, [])
    assert first.headers["Connection"] == "close"


def test_large_answers_arrive_whole():
    """What the kernel does not take at once comes later, in order, kept connection or not."""
    big = b"".join(b"%07d\n" % line for line in range(400_000))
    with Serving(lambda r: Response(200, big)) as server:
        for last in (b"", b"Connection: close\r\n"):
            with socket.socket() as client:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                client.connect(server.address)
                client.sendall(ONE + ONE[:-2] + last + b"\r\n")
                client.shutdown(socket.SHUT_WR)
                time.sleep(0.05)  # until it can send no more
                bodies = [answer.body for answer in answers(read_all(client))]
            assert bodies == [big, big]


def test_an_answer_looked_up_for_a_new_connection():
    """It arrives whether it comes before or after the event loop has taken the connection over."""
    with ThreadPoolExecutor(4) as threads:

        def soon(request):
            wait = float(request.target[1:])
            return threads.submit(lambda: time.sleep(wait) or Response(200, b"looked up"))

        with Serving(soon) as server:
            for micros in range(0, 2000, 50):
                asked = b"GET /%f HTTP/1.1\r\nHost: a\r\n\r\n" % (micros / 1e6)
                with server.connect() as client:
                    client.sendall(asked)
                    client.shutdown(socket.SHUT_WR)
                    assert [answer.body for answer in answers(read_all(client))] == [b"looked up"]


def test_a_process_without_descriptors_serves_again():
    """Who comes while no descriptor is left waits, and is answered when there is one."""
    with Serving(hello, limits=Limits(sweep=0.02)) as server, server.connect() as client:
        with _no_descriptors_left():
            client.sendall(ONE)
            time.sleep(0.2)
            assert server.counts.accepted == 0
        assert answers(client.recv(10_000))[0].status == 200


@contextmanager
def _no_descriptors_left():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    highest = max(int(each.name) for each in Path("/proc/self/fd").iterdir())
    resource.setrlimit(resource.RLIMIT_NOFILE, (highest + 1, hard))
    taken = []
    try:
        with pytest.raises(OSError, match="Too many open files"):
            while True:
                taken.append(os.dup(0))
        yield
    finally:
        for number in taken:
            os.close(number)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_many_half_sent_requests():
    """Two hundred half-sent requests keep nobody else from an answer."""
    with Serving(hello) as server:
        crowd = [server.connect() for _ in range(200)]
        for client in crowd:
            client.sendall(b"GET / HTTP/1.1\r\nHo")
        assert all(healthy(server) for _ in range(20))
        for client in crowd:
            client.close()
        assert eventually(lambda: server.counts.open == 0)


def test_unfinished_bodies_share_a_budget():
    """Past it who sends more of a body is told to come again; small ones are never refused, and
    what was taken is given back with the connections."""
    head = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 65536\r\n\r\n"
    limits = Limits(body=65_536, bodies=150_000)
    with Serving(hello, limits=limits) as server:
        crowd = [server.connect() for _ in range(5)]
        for client in crowd:
            client.sendall(head + b"x" * 60_000)
        assert eventually(lambda: server.counts.refused["bodies-full"] == 3)
        assert server.server._bodies.taken == 120_000
        small = head.replace(b"65536", b"255")
        assert answers(server.talk(small + b"x" * 255, 100, shut=True))[0].status == 200
        for client in crowd:
            client.close()
        assert eventually(lambda: server.counts.open == 0)
        assert server.server._bodies.taken == 0


def test_others_are_answered_between_pipelined_requests():
    """A read full of requests is not answered as a whole before anybody else has a turn."""
    order = []

    def handler(request):
        order.append(request.target)
        time.sleep(0.001)
        return Response(200, b"x")

    with Serving(handler) as server, server.connect() as greedy, server.connect() as other:
        greedy.sendall(ONE.replace(b"/", b"/greedy", 1) * 1000)
        assert eventually(lambda: bool(order))
        other.sendall(ONE.replace(b"/", b"/other", 1))
        assert answers(other.recv(10_000))[0].status == 200
    assert order.index("/other") < 300


def test_full_listener_accepts_again():
    """Past the bound connections wait in the queue; when there is room they are answered."""
    limits = Limits(connections=5, sweep=0.02)
    with Serving(hello, limits=limits) as server:
        crowd = [server.connect() for _ in range(8)]
        assert eventually(lambda: server.counts.open == 5)
        time.sleep(0.1)
        assert server.counts.open == 5
        for client in crowd[:5]:
            client.close()
        crowd[7].sendall(ONE[:-2] + b"Connection: close\r\n\r\n")
        assert answers(read_all(crowd[7]))[0].status == 200
        for client in crowd:
            client.close()


def test_disconnects_leave_nothing():
    """Connections that end anywhere in a request leave no connection and no request behind."""
    held = Future()
    with Serving(lambda r: held if r.target == "/cold" else hello(r)) as server:
        data = b"POST /cold HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"
        for length in range(0, len(data) + 1, 7):
            with server.connect() as client:
                client.sendall(data[:length])
        assert eventually(lambda: server.counts.open == 0)
        assert server.counts.in_flight == 0


# Garbage.

SEED = int(os.environ.get("FIRSTLIGHT_SEED", "20261121"))
CASES = 5000 if os.environ.get("FIRSTLIGHT_SOAK") else 400

WELL_FORMED = (
    ONE,
    b"POST /a?b=c HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc",
    b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    b"GET / HTTP/1.0\r\nConnection: keep-alive\r\nX-Instance-ID: x\r\n\r\n",
)
NASTY = (
    b"\0", b"\r", b"\n", b"\r\n", b"\r\n\r\n", b" ", b":", b"\xff\xfe", b"\xc3\xa4", b"%00",
    b"/../../etc/passwd", b"Content-Length: 5\r\n", b"Content-Length: -1\r\n", b"\x16\x03\x01",
    b"Transfer-Encoding: chunked\r\n", b"Transfer-Encoding: gzip\r\n", b"Host: b\r\n", b"HTTP/9.9",
    b"Expect: 100-continue\r\n", b"Upgrade: h2c\r\nConnection: Upgrade\r\n",
    b"fffffffffffffffff\r\n",
    b"a" * 9000, b"X: " + b"y" * 64 * 1024 + b"\r\n", b"X: y\r\n" * 101,
)  # fmt: skip


def garbage(chance):
    """A request that something has happened to."""
    data = bytearray(chance.choice(WELL_FORMED) * chance.choice((1, 1, 1, 3)))
    for _ in range(chance.randint(1, 4)):
        place = chance.randrange(len(data) + 1)
        match chance.randrange(4):
            case 0:
                data[place:place] = chance.choice(NASTY)
            case 1:
                del data[place : place + chance.randint(1, 20)]
            case 2:
                data[place : place + 1] = bytes([chance.randrange(256)])
            case 3:
                data[place : place + 8] = chance.randbytes(8)
    return bytes(data)


def test_garbage():
    """Garbage is answered with a well-formed refusal or closed; never a 500, never a hang."""
    chance = random.Random(SEED)
    resets = 0
    with Serving(hello) as server:
        for number in range(CASES):
            data = garbage(chance)
            try:
                got = server.talk(data, chance.choice((0, 0, 3, 700)), shut=True)
            except ConnectionResetError:
                resets += 1  # it went on sending behind a request that was its last
                continue
            # A broken request in front may have left a HEAD or nothing; only whole answers count.
            statuses = [answer.status for answer in answers(got)]
            wrong = [one for one in statuses if one == 500 or not 100 <= one < 600]
            assert not wrong, f"case {number} of seed {SEED}: {data[:200]!r}"
        assert healthy(server)
        assert eventually(lambda: server.counts.open <= 1)
        assert server.counts.refused["malformed"] > CASES / 20
        assert resets < CASES / 100


def test_random_bytes():
    """Bytes without any sense get a refusal and the end of the connection."""
    chance = random.Random(SEED)
    with Serving(hello) as server:
        for _ in range(CASES // 4):
            got = server.talk(chance.randbytes(chance.randint(1, 3000)), shut=True)
            assert all(400 <= answer.status < 600 for answer in answers(got))
        assert healthy(server)
