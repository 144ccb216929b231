"""What strangers send, by the way it is read: a program that counts what n, 2n and 4n of it cost.

Its arguments are names of PATHS; see instructions.py. The bounds are far away, so that what grows
faster than what is sent would show.
"""

import gc
import gzip
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from firstlight import yaml_lines
from firstlight.documents import paths as documents
from firstlight.httpd.limits import Limits
from firstlight.httpd.monitoring import access_log
from firstlight.httpd.protocol.messages import Request
from firstlight.httpd.protocol.parser import PIECE, RequestParser
from firstlight.httpd.protocol.refusals import RequestRejected
from firstlight.httpd.wsgi import environ_of
from firstlight.vendordata.cloud_init.cloud_config import merged_text
from firstlight.vendordata.http.request_body import read_context
from firstlight.vendordata_client.cache.freshness import cache_lifetime
from firstlight.vendordata_client.calls.content_coding import Decoder
from firstlight.vendordata_client.calls.reply import TargetResponse, answer
from support.instructions import begin, mark

FAR = 1 << 30
LIMITS = Limits(target=FAR, head=FAR, fields=FAR, body=FAR, bodies=FAR, pipeline=FAR)
GET = b"GET / HTTP/1.1\r\nHost: a\r\n"
CHUNKED = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
LONG = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9999999\r\n\r\n"
UPGRADE = GET + b"Connection: Upgrade\r\nUpgrade: x\r\n\r\n"

Work = Callable[[], Any]


class Adding(RequestParser):
    """A reader with the fault that these counts are there to find."""

    def _repeat(self, name: bytes, value: bytes) -> None:
        self._headers[name] += b", " + value


def reads(
    before: bytes,
    repeated: bytes | Callable[[int], bytes],
    *,
    step: int = PIECE,
    kind: Any = RequestParser,
) -> Callable[[int], Work]:
    """Reads `before`, then n of what is `repeated`, in pieces of `step` bytes."""

    def prepare(n: int) -> Work:
        reader = kind(LIMITS, lambda *_: True, lambda: None)
        if isinstance(repeated, bytes):
            data = before + repeated * n
        else:
            data = before + b"".join(map(repeated, range(n)))
        pieces = [data[first : first + step] for first in range(0, len(data), step)]

        def work() -> None:
            with suppress(RequestRejected):
                for piece in pieces:
                    reader.feed(piece, 1.0)

        return work

    return prepare


def decodes(encoding: str, body: Callable[[int], bytes]) -> Callable[[int], Work]:
    """Decompresses, in the pieces that a target's answer is read in."""

    def prepare(n: int) -> Work:
        data = body(n)

        def work() -> None:
            decoder = Decoder(encoding, FAR)
            for first in range(0, len(data), 4096):
                decoder.feed(data[first : first + 4096])
            decoder.content()

        return work

    return prepare


def calls(function: Callable[[Any], Any], argument: Callable[[int], Any]) -> Callable[[int], Work]:
    """Calls a function with something of the size n."""

    def prepare(n: int) -> Work:
        given = argument(n)
        return lambda: function(given)

    return prepare


def _environ(n: int) -> Request:
    return Request("GET", "/" + "%2f" * n, {b"x-%d" % each: b"a" for each in range(n // 8)})


def _document(n: int) -> str:
    return "".join(f"key-{each}:\n- &a{each} 'text {each}'\n- *a{each}\n" for each in range(n))


def _json(n: int) -> bytes:
    return (
        b"[" + b",".join(b'{"a": [%d, 1.5, "\\ud834\\udd1e", null]}' % i for i in range(n)) + b"]"
    )


def _body(n: int) -> bytes:
    pairs = ",".join(f'"{each}": "\\u20ac\\"{each}"' for each in range(n))
    return b'{"project-id": "p", "instance-id": "i", "metadata": {%s}}' % pairs.encode()


# By name: the size n, which takes some millions of instructions, and what makes work of a size.
PATHS: dict[str, tuple[int, Callable[[int], Work]]] = {
    "fields": (400, reads(GET, lambda n: b"x-%d: y\r\n" % n)),
    "repeats": (300, reads(GET, b"a:b\r\n")),
    "repeats of a large field": (60, reads(GET, b"a:%s\r\n" % (b"b" * 1000))),
    "fields byte by byte": (30, reads(GET, lambda n: b"x-%d: y\r\n" % n, step=1)),
    "a value byte by byte": (2_000, reads(GET + b"a: ", b"b", step=1)),
    "a target byte by byte": (500, reads(b"GET /", b"b", step=1)),
    "trailers": (400, reads(CHUNKED + b"0\r\n", lambda n: b"x-%d: y\r\n" % n)),
    "repeated trailers": (300, reads(CHUNKED + b"0\r\n", b"a:b\r\n")),
    "chunks": (600, reads(CHUNKED, b"1\r\nx\r\n")),
    "chunk extensions": (600, reads(CHUNKED, lambda n: b"1;a=%d\r\nx\r\n" % n)),
    "an endless chunk extension": (60_000, reads(CHUNKED + b"1;", b"a")),
    "a body": (380_000, reads(LONG, b"a")),
    "a body byte by byte": (200, reads(LONG, b"a", step=1)),
    "pipelining": (80, reads(b"", GET + b"\r\n")),
    "pipelining byte by byte": (10, reads(b"", GET + b"\r\n", step=1)),
    "upgrades": (40, reads(b"", UPGRADE)),
    "blank lines": (4_000, reads(b"", b"\r\n")),
    "escapes in a path": (120, calls(documents.segments, lambda n: "/%41%e2%82%ac" * n)),
    "escapes in an environment": (400, calls(environ_of, _environ)),
    "escapes in the access log": (
        80,
        calls(lambda t: access_log._quoted(t, FAR), '"\x00é'.__mul__),
    ),
    "JSON of a caller": (500, calls(read_context, _body)),
    "JSON of a target": (
        100,
        calls(lambda body: answer(TargetResponse(status=200, body=body), 0.0), _json),
    ),
    "deep JSON of a target": (
        1_000,
        calls(lambda body: answer(TargetResponse(status=200, body=body), 0.0), b"[".__mul__),
    ),
    "a charset of a target": (
        2_000,
        calls(
            lambda body: answer(TargetResponse(status=200, body=body, charset="punycode"), 0.0),
            lambda n: b'"' + b"a9" * n + b'"',
        ),
    ),
    "Cache-Control of a target": (
        400,
        calls(
            lambda text: cache_lifetime({"Cache-Control": text, "Expires": text}, 0.0),
            'a="\\"'.__mul__,
        ),
    ),
    "YAML": (20, calls(lambda text: list(yaml_lines.documents(text)), _document)),
    "YAML for cloud-init": (
        4,
        calls(
            lambda value: merged_text([("a", value), ("b", value)]),
            lambda n: {"runcmd": [f"echo '{each}' \\u20ac: \n#" for each in range(n)]},
        ),
    ),
    "gzip": (60_000, decodes("gzip", lambda n: gzip.compress(b"0123456789" * n, 1))),
    "gzip of gzip": (
        200_000,
        decodes("gzip, gzip", lambda n: gzip.compress(gzip.compress(bytes(n)))),
    ),
    "members of gzip": (300, decodes("gzip", lambda n: gzip.compress(b"a") * n)),
    "PLANTED": (150, reads(GET, b"a:%s\r\n" % (b"b" * 1000), kind=Adding)),
}


def main(names: list[str]) -> None:
    """Count each of these paths at n, 2n and 4n."""
    begin()
    gc.disable()  # when it begins is a matter of what was done before
    for name in names:
        n, prepare = PATHS[name]
        prepare(10)()  # what is imported or remembered once
        for size in (n, 2 * n, 4 * n):
            work = prepare(size)
            mark()
            work()
            mark()


if __name__ == "__main__":
    main(sys.argv[1:])
