"""What strangers have sent to servers before: each is refused or answered, and soon."""

import socket
import threading
import time

import pytest

from conformance.asking import ask, signature, signed_headers
from conformance.processes import Service
from fuzz import canaries
from fuzz.raw import PATIENCE, exchange, statuses

HOST = b"Host: 169.254.169.254\r\n"
ANN, BOB = canaries.instance("ann"), canaries.instance("bob")


def fields(headers: dict[str, str]) -> bytes:
    return "".join(f"{name}: {value}\r\n" for name, value in headers.items()).encode()


AS_ANN = fields(signed_headers(ANN, canaries.SECRET))


def get(target: bytes, more: bytes = AS_ANN, method: bytes = b"GET") -> bytes:
    return method + b" " + target + b" HTTP/1.1\r\n" + HOST + more + b"\r\n"


REFUSED = {
    "no request line": b"\r\n\r\n\r\nX\r\n\r\n",
    "only spaces": b"   \r\n\r\n",
    "no target": b"GET HTTP/1.1\r\n" + HOST + b"\r\n",
    "no version": b"GET /\r\n" + HOST + b"\r\n",
    "too many words": b"GET / / HTTP/1.1\r\n" + HOST + b"\r\n",
    "another protocol": b"GET / FTP/1.1\r\n" + HOST + b"\r\n",
    "HTTP/2's preface": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "HTTP/9.9": b"GET / HTTP/9.9\r\n" + HOST + b"\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 500,
    "NUL in the target": get(b"/latest\x00/user-data"),
    "NUL in a header": get(b"/latest", AS_ANN + b"X: a\x00b\r\n"),
    "a control character in the target": get(b"/latest\x01"),
    "no Host": b"GET /latest HTTP/1.1\r\n" + AS_ANN + b"\r\n",
    "two Hosts": get(b"/latest", HOST + AS_ANN),
    "CONNECT": get(b"169.254.169.254:80", method=b"CONNECT"),
    "CONNECT to a path": get(b"/latest", method=b"CONNECT"),
    "an unknown method": get(b"/latest", method=b"BREW"),
    "a target that is neither path nor URL": get(b"latest"),
    "a target of 9 KB": get(b"/" + b"a" * 9000),
    "a header of 64 KB": get(b"/latest", AS_ANN + b"X: " + b"a" * 65536 + b"\r\n"),
    "64 KB without an end": b"GET / HTTP/1.1\r\n" + HOST + b"X: " + b"a" * 80000,
    "a thousand headers": get(b"/latest", AS_ANN + b"X: y\r\n" * 1000),
    "a name with a space": get(b"/latest", AS_ANN + b"X-Tenant-ID : x\r\n"),
    "a name of nothing": get(b"/latest", AS_ANN + b": x\r\n"),
    "a folded header": get(b"/latest", AS_ANN + b"X: a\r\n b\r\n"),
    "lengths that differ": get(
        b"/latest", AS_ANN + b"Content-Length: 3\r\nContent-Length: 5\r\n", b"POST"
    )
    + b"abcde",
    "length and chunks": get(
        b"/latest", AS_ANN + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", b"POST"
    )
    + b"0\r\n\r\n",
    "a length beyond counting": get(
        b"/latest", AS_ANN + b"Content-Length: 99999999999999999999999\r\n", b"POST"
    ),
    "a length beyond the bound": get(b"/latest", AS_ANN + b"Content-Length: 999999999\r\n"),
    "a negative length": get(b"/latest", AS_ANN + b"Content-Length: -1\r\n"),
    "a length in hex": get(b"/latest", AS_ANN + b"Content-Length: 0x10\r\n"),
    "a coding nobody knows": get(b"/latest", AS_ANN + b"Transfer-Encoding: gzip\r\n"),
    "a chunk of no size": get(b"/latest", AS_ANN + b"Transfer-Encoding: chunked\r\n", b"POST")
    + b"zz\r\n",
    "chunks beyond the bound": get(b"/latest", AS_ANN + b"Transfer-Encoding: chunked\r\n", b"POST")
    + b"11000\r\n"
    + b"a" * 0x11000,
    "an expectation": get(b"/latest", AS_ANN + b"Expect: miracles\r\n"),
    "a target that is not ASCII": get(b"/\xff\xfe\xc3\xa9"),
    "half a request": b"GET /latest HTT",
    "half a body": get(b"/latest", AS_ANN + b"Content-Length: 9\r\n", b"POST") + b"abc",
}


@pytest.mark.parametrize("data", REFUSED.values(), ids=REFUSED.keys())
def test_refused(data: bytes, signed_service: Service) -> None:
    """The client's fault is said to be so, in the one status that agents know for it."""
    heard = exchange(signed_service.port, [data])
    assert statuses(heard)[-1:] == [400], heard
    assert canaries.marks_in(heard) <= {"ann"}


ANSWERED = {
    "dots": get(b"/../../../../etc/passwd"),
    "escaped dots": get(b"/%2e%2e/%2e%2e/etc/passwd"),
    "escaped slashes": get(b"/..%2f..%2fetc%2fpasswd"),
    "backslashes": get(b"/..\\..\\etc\\passwd"),
    "an escaped NUL": get(b"/latest/user-data%00.json"),
    "an escape of nothing": get(b"/latest/%zz%"),
    "escapes that are not UTF-8": get(b"/%ff%fe"),
    "thousands of dots": get(b"/" + b"../" * 2500 + b"nothing"),
    "a header that is not UTF-8": get(b"/nothing", AS_ANN + b"Cookie: \xff\xfe\r\n"),
    "another server's path by URL": get(b"http://127.0.0.1:22/nothing"),
    "a fragment": get(b"/nothing#fragment"),
    "a proxy's header": get(b"/nothing", AS_ANN + b"Proxy: http://127.0.0.1:1\r\n"),
    "an upgrade": get(b"/nothing", AS_ANN + b"Connection: Upgrade\r\nUpgrade: websocket\r\n"),
}


@pytest.mark.parametrize("data", ANSWERED.values(), ids=ANSWERED.keys())
def test_nothing_is_there(data: bytes, signed_service: Service) -> None:
    """Odd paths are paths that do not exist, no more."""
    heard = exchange(signed_service.port, [data])
    assert statuses(heard) == [404], heard


def forged(**changes: str | None) -> bytes:
    """Ann's headers with some changed."""
    named = signed_headers(ANN, canaries.SECRET)
    names = {"id": "X-Instance-ID", "tenant": "X-Tenant-ID", "sig": "X-Instance-ID-Signature"}
    named |= {names[key]: value for key, value in changes.items() if value is not None}
    return fields({name: value for name, value in named.items() if value is not None})


BOBS_ID = f"X-Instance-ID: {BOB.uuid}\r\n".encode()
BOBS_PROJECT = f"X-Tenant-ID: {BOB.project_id}\r\n".encode()
FORGED = {
    "Bob's id with Ann's signature": (forged(id=BOB.uuid), 403),
    "Bob's id and project with Ann's signature": (
        forged(id=BOB.uuid, tenant=BOB.project_id),
        403,
    ),
    "Bob's project": (forged(tenant=BOB.project_id), 404),
    "Bob, signed, for Ann's project": (
        forged(id=BOB.uuid, sig=signature(canaries.SECRET, BOB.uuid)),
        404,
    ),
    "Bob's id before Ann's": (BOBS_ID + AS_ANN, 403),
    "Bob's id after Ann's": (AS_ANN + BOBS_ID, 403),
    "Bob's project before Ann's": (BOBS_PROJECT + AS_ANN, 404),
    "Bob's project after Ann's": (AS_ANN + BOBS_PROJECT, 404),
    "signed with an empty secret": (forged(sig=signature("", ANN.uuid)), 403),
    "a provider's signature for an id": (
        AS_ANN + b"X-Metadata-Provider: lb-1\r\n" + b"X-Forwarded-For: 127.0.0.22\r\n",
        403,
    ),
    "an underscore for a hyphen": (AS_ANN.replace(b"X-Instance-ID:", b"X_Instance_ID:"), 400),
}


@pytest.mark.parametrize(("headers", "status"), FORGED.values(), ids=FORGED.keys())
@pytest.mark.parametrize("known", [False, True], ids=["cold", "hot"])
def test_forged_identity(headers: bytes, status: int, known: bool, signed_service: Service) -> None:
    """Nobody is told anything of anybody, whether those servers are in memory or not."""
    target = "/openstack/latest/meta_data.json"
    if known:
        for one in (ANN, BOB):
            ask(signed_service.port, "GET", target, signed_headers(one, canaries.SECRET))
    heard = exchange(signed_service.port, [get(target.encode(), headers)])
    assert statuses(heard) == [status], heard
    assert canaries.marks_in(heard) == set()


def test_two_requests_on_one_connection_are_two(signed_service: Service) -> None:
    """What one request says of who is asking is forgotten for the next."""
    first, second = get(b"/latest/meta-data/hostname"), get(b"/latest/meta-data/hostname", b"")
    heard = exchange(signed_service.port, [first + second])
    assert statuses(heard) == [200, 400]
    one_body, another = heard.split(b"HTTP/1.1 400")
    assert canaries.marks_in(one_body) == {"ann"}
    assert canaries.marks_in(another) == set()


def test_a_body_does_not_become_a_request(signed_service: Service) -> None:
    """A request inside a body is a body."""
    inner = get(b"/openstack/latest/user_data", fields(signed_headers(BOB, canaries.SECRET)))
    outer = get(b"/nothing", AS_ANN + b"Content-Length: %d\r\n" % len(inner), b"POST")
    heard = exchange(signed_service.port, [outer + inner])
    assert statuses(heard) == [404]


def test_slow_senders_are_ended_and_hold_up_nobody(signed_service: Service) -> None:
    """Heads and bodies that never end are refused in time; others are answered meanwhile."""
    starts = [
        b"G",
        b"GET /latest HTTP/1.1\r\nX: ",
        get(b"/latest", AS_ANN + b"Content-Length: 9\r\n"),
    ]
    heard: list[bytes] = []

    def dawdle(start: bytes) -> None:
        heard.append(exchange(signed_service.port, [start, b"a"], half_close=False))

    threads = [threading.Thread(target=dawdle, args=(start,)) for start in starts * 10]
    for thread in threads:
        thread.start()
    headers = signed_headers(ANN, canaries.SECRET)
    while any(thread.is_alive() for thread in threads):
        answer = ask(signed_service.port, "GET", "/openstack/latest/user_data", headers)
        assert (answer.status, answer.body) == (200, b"mark-ann-user-data")
        time.sleep(0.5)
    assert [statuses(one) for one in heard] == [[400]] * len(threads)


def test_who_connects_and_says_nothing_holds_up_nobody(signed_service: Service) -> None:
    """Three hundred silent connections, and the service answers."""
    silent = [
        socket.create_connection(("127.0.0.1", signed_service.port), PATIENCE) for _ in range(300)
    ]
    try:
        assert ask(signed_service.port, "GET", "/").status == 200
    finally:
        for connection in silent:
            connection.close()
