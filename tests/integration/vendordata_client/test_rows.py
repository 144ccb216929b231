"""What targets can answer, row by row, over real HTTP."""

import gzip
import json
import socket
import threading
from collections.abc import Callable
from typing import Any

import pytest

from firstlight.instance import Answer, Instance, State
from firstlight.vendordata_client import VendorData


@pytest.fixture
def ask(serve: Any, configured: Any, instance: Instance) -> Callable[..., Answer]:
    """The answer of one target that does what the script says."""

    def asked(script: Any, api: str = "", path: str = "/") -> Answer:
        data: VendorData = configured(f"t@{serve(script).url}{path}", api=api)
        return data.ask(instance)["t"]

    return asked


@pytest.mark.parametrize(
    ("status", "body", "content_type", "value"),
    [
        (200, b'{"enable_sriov": true}', "application/json", {"enable_sriov": True}),
        (200, b"[1, 2]", "text/html", [1, 2]),
        (201, b'"#cloud-config"', "text/plain", "#cloud-config"),
        (202, b"null", "application/json", None),
        (300, b"7", "application/json", 7),
        (200, '"wéb"'.encode(), "application/json", "wéb"),
        (200, '"wéb"'.encode(), "", "wéb"),
        (200, '"wéb"'.encode("latin-1"), "text/plain", "wéb"),
    ],
)
def test_json(ask: Any, status: int, body: bytes, content_type: str, value: Any) -> None:
    """JSON of any type, with any Content-Type, is the value."""
    headers = {"Content_Type": content_type} if content_type else {}
    answer = ask(lambda h: h.say(status, body, **headers))
    assert (answer.value, answer.state, answer.reason) == (value, State.OK, None)


@pytest.mark.parametrize(("status", "body"), [(204, b""), (200, b""), (202, b""), (200, b"{}")])
def test_nothing_to_say(ask: Any, status: int, body: bytes) -> None:
    """No body, and {}: empty, and no failure."""
    answer = ask(lambda h: h.say(status, body))
    assert (answer.value, answer.state, answer.reason) == ({}, State.EMPTY, None)


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (200, b"<html>sorry</html>", "with a body that is not JSON (Content-Type: text/html)"),
        (400, b"", "answered 400"),
        (401, b"{}", "answered 401"),
        (404, b"{}", "answered 404"),
        (500, b"oops", "answered 500"),
        (503, b"", "answered 503"),
    ],
)
def test_failed(ask: Any, status: int, body: bytes, reason: str) -> None:
    """Errors and what is not JSON: {} for guests, and the reason for people."""
    answer = ask(lambda h: h.say(status, body, Content_Type="text/html"))
    assert (answer.value, answer.state) == ({}, State.FAILED)
    assert reason in answer.reason


def test_compressed(ask: Any) -> None:
    """A target may compress its answer."""
    body = gzip.compress(b'{"a": 1}')
    assert ask(lambda h: h.say(200, body, Content_Encoding="gzip")).value == {"a": 1}


def test_wrongly_compressed(ask: Any) -> None:
    """What cannot be decompressed is a failed answer."""
    answer = ask(lambda h: h.say(200, b'{"a": 1}', Content_Encoding="gzip"))
    assert answer.state is State.FAILED
    assert answer.reason.startswith("cannot be decoded: ")


def test_chunked(ask: Any) -> None:
    """An answer of unknown length is read to its end."""

    def script(handler: Any) -> None:
        handler.send_response(200)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        for part in (b"[1,", b" 2]", b""):
            handler.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))

    assert ask(script).value == [1, 2]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirect(serve: Any, configured: Any, instance: Instance, status: int) -> None:
    """A redirect to an absolute Location is followed with the same POST, whatever its status."""
    there = serve(lambda h: h.say(200, b'"there"'))
    here = serve(lambda h: h.say(status, b"moved", Location=f"{there.url}/new"))
    assert configured(f"t@{here.url}/old").ask(instance)["t"].value == "there"
    [first], [second] = here.seen, there.seen
    assert (first.path, second.path) == ("/old", "/new")
    assert (first.method, first.body) == (second.method, second.body)
    assert second.headers["User-Agent"] == "openstack-nova-vendordata"


def test_relative_redirect(ask: Any) -> None:
    """A relative Location fails, as it does for Nova."""
    answer = ask(lambda h: h.say(302, Location="/elsewhere"))
    assert (answer.value, answer.state) == ({}, State.FAILED)
    assert "relative Location" in answer.reason


def test_redirect_without_location(ask: Any) -> None:
    """Without a Location there is nowhere to go: what came is the answer."""
    assert ask(lambda h: h.say(302, b"[3]")).value == [3]


def test_redirect_loop(serve: Any, configured: Any, instance: Instance) -> None:
    """A target that redirects for ever has failed after thirty redirects."""
    loop = serve(lambda h: h.say(302, Location=f"http://{h.headers['Host']}/"))
    answer = configured(f"t@{loop.url}/").ask(instance)["t"]
    assert answer.reason == "redirects more than 30 times"
    assert len(loop.seen) == 31


def test_endless_redirect_body(ask: Any) -> None:
    """Of a redirect only the Location is read, not a body that never ends."""
    broken = threading.Event()

    def script(handler: Any) -> None:
        if handler.path == "/there":
            handler.say(200, b'"there"')
            return
        handler.send_response(302)
        handler.send_header("Location", f"http://{handler.headers['Host']}/there")
        handler.end_headers()
        _write_until_broken(handler, b"x" * 65536, broken)

    assert ask(script).value == "there"
    assert broken.wait(20)


def test_refused(configured: Any, instance: Instance) -> None:
    """Nobody listens there."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        answer = configured(f"t@http://127.0.0.1:{port}/").ask(instance)["t"]
    assert (answer.value, answer.state) == ({}, State.FAILED)
    assert answer.reason == "cannot be reached: Connection refused"


def test_hangs_up(ask: Any) -> None:
    """The connection ends before there is an answer."""
    answer = ask(lambda h: h.connection.shutdown(socket.SHUT_RDWR))
    assert answer.state is State.FAILED
    assert "closed connection without response" in answer.reason


def test_half_an_answer(ask: Any) -> None:
    """A body shorter than announced is a failure, never half a value."""

    def script(handler: Any) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "100")
        handler.end_headers()
        handler.wfile.write(b"[1]")
        handler.close_connection = True

    answer = ask(script)
    assert (answer.value, answer.state) == ({}, State.FAILED)


@pytest.mark.parametrize("url", ["nourl", "http:///path", "ftp://127.0.0.1/"])
def test_impossible_url(configured: Any, serve: Any, instance: Instance, url: str) -> None:
    """A URL that cannot be called costs its own key alone (Nova: all keys, for the first)."""
    other = serve(lambda h: h.say(200, b"1"))
    answers = configured(f"bad@{url}", f"good@{other.url}").ask(instance)
    assert list(answers) == ["bad", "good"]
    assert (answers["bad"].value, answers["bad"].state) == ({}, State.FAILED)
    assert answers["good"].value == 1


def test_duplicate_is_never_called(configured: Any, serve: Any, instance: Instance) -> None:
    """Of two targets of one name, the first is asked and the second is not."""
    first, second = (serve(lambda h: h.say(200, b'"one"')) for _ in range(2))
    answers = configured(f"t@{first.url}", f"t@{second.url}").ask(instance)
    assert answers["t"].value == "one"
    assert (len(first.seen), len(second.seen)) == (1, 0)


def _write_until_broken(handler: Any, data: bytes, broken: threading.Event) -> None:
    """Write for as long as somebody reads; a test that fails would else write for ever."""
    try:
        for _ in range(50 * 1024 * 1024 // len(data)):
            handler.wfile.write(data)
    except OSError:
        broken.set()
        raise


@pytest.mark.parametrize("declared", [True, False])
def test_fifty_megabytes(ask: Any, declared: bool) -> None:
    """Too long an answer fails, and is not read to its end."""
    broken = threading.Event()

    def script(handler: Any) -> None:
        handler.send_response(200)
        if declared:
            handler.send_header("Content-Length", str(50 * 1024 * 1024))
        else:
            handler.send_header("Connection", "close")
        handler.end_headers()
        _write_until_broken(handler, b" " * 65536, broken)

    answer = ask(script)
    assert (answer.value, answer.state) == ({}, State.FAILED)
    assert answer.reason == "answered with more than 1048576 bytes"
    assert broken.wait(20)


def test_decompressed_size_counts(ask: Any) -> None:
    """A small body that grows when decompressed is as long as it grows."""
    body = gzip.compress(b" " * 50 * 1024 * 1024)
    answer = ask(lambda h: h.say(200, body, Content_Encoding="gzip"))
    assert answer.reason == "answered with more than 1048576 bytes"


def test_the_request(serve: Any, configured: Any, instance: Instance) -> None:
    """What arrives at a target is Nova's request: method, headers, body."""
    target = serve(lambda h: h.say(200, b"{}"))
    configured(f"t@{target.url}/path?query=1").ask(instance)
    [seen] = target.seen
    assert (seen.method, seen.path) == ("POST", "/path?query=1")
    sent = {name: seen.headers[name] for name in ("Content-Type", "Accept", "User-Agent")}
    assert sent == {
        "Content-Type": "application/json",
        "Accept": "application/json",
        "User-Agent": "openstack-nova-vendordata",
    }
    assert "X-Auth-Token" not in seen.headers
    assert json.loads(seen.body)["user-data"] == "aHVzaC1ody1kYXRh"
    assert seen.body == (
        b'{"project-id": "039d104b7a5c4631b4ba6524d0b9e981",'
        b' "instance-id": "2ae914e9-f5ab-44ce-b2a2-dcf8373d899d", "image-id": "",'
        b' "user-data": "aHVzaC1ody1kYXRh", "hostname": "foo",'
        b' "metadata": {"role": "web"}, "boot-roles": "member,reader"}'
    )


def test_connections_are_kept(serve: Any, configured: Any, instance: Instance) -> None:
    """The next question uses the last one's connection."""
    ports = set()

    def script(handler: Any) -> None:
        ports.add(handler.client_address[1])
        handler.say(200, b"1")

    data = configured(f"t@{serve(script).url}", sections="[vendordata_target:t]\nttl = 0")
    assert [data.ask(instance)["t"].value for _ in range(3)] == [1, 1, 1]
    assert len(ports) == 1


def test_the_log(
    serve: Any, configured: Any, instance: Instance, caplog: pytest.LogCaptureFixture
) -> None:
    """A failure is logged once, with who, where and why, and without what is secret."""
    target = serve(lambda h: h.say(500, b"hush-body"))
    url = target.url.replace("//", "//me:hush-word@")
    configured(f"t@{url}/p?key=hush-key").ask(instance)
    [line] = [r.getMessage() for r in caplog.records if "failed" in r.getMessage()]
    assert line == (
        f"vendordata target t ({target.url}/p?…) failed for instance {instance.uuid}: answered 500"
    )
    assert "hush" not in caplog.text
