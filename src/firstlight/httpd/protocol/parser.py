"""Bytes to requests, without I/O: llhttp's strict parser plus the bounds it does not keep."""

import re
from collections.abc import Callable
from typing import Any

import httptools

from firstlight.httpd.body_budget import BodyBudget
from firstlight.httpd.limits import Limits
from firstlight.httpd.protocol import refusals
from firstlight.httpd.protocol.refusals import RequestRejected

# Bytes that are parsed at a time; between two pieces the bounds are looked at. Most requests are
# one piece, and some forty of the smallest that there can be.
PIECE = 1024

# What the connection says of itself in the response.
CLOSE = "Connection: close\r\n"
KEEP_10 = "Connection: keep-alive\r\n"  # HTTP/1.0 closes unless told otherwise
KEEP = ""

_METHODS = {name.encode(): name for name in ("GET", "HEAD", "POST", "PUT", "DELETE")}
_ABSOLUTE = re.compile(rb"https?://[^/?#]*", re.IGNORECASE)
# Bytes of chunk framing that may come with each byte of a body: "1\r\nx\r\n" is six for one.
_FRAMING = 8
# Bytes after which a body goes on in another piece of memory. One that grows to a megabyte is moved
# each time that it has grown by an eighth, and many that do so side by side leave as many holes.
_BLOCK = 1 << 14
_UNKNOWN = 1 << 62  # bytes of a request that began in the middle of the piece that is being read

# (method, target, headers, body, keep, time of the first byte) -> read on?
Deliver = Callable[[str, str, dict[bytes, bytes], bytes, str, float], bool]


class _Enough(Exception):
    """Stops the parser: the receiver wants no more."""


class _Body:
    """A request whose head is whole and whose body is being read."""

    __slots__ = ("bare", "blocks", "chunked", "fields", "head", "held", "length", "size")

    def __init__(self, head: dict[bytes, bytes], *, fields: int, size: int, chunked: bool) -> None:
        self.head = head
        self.fields = fields  # of the head
        self.size = size  # of the head
        self.chunked = chunked
        self.blocks = [bytearray()]
        self.length = 0  # bytes of content in all blocks
        self.held = 0  # bytes of it that are taken from the budget
        self.bare = 0  # bytes since the last of the content: framing, and trailers

    def add(self, part: bytes) -> None:
        """Take what comes next of the content."""
        self.length += len(part)
        if len(self.blocks[-1]) < _BLOCK:
            self.blocks[-1] += part
        else:
            self.blocks.append(bytearray(part))


class RequestParser:
    """Reads one connection's requests and hands each to `deliver` when it is whole.

    `proceed` is called when a request waits for ``100 Continue`` before its body. What has come of
    an unfinished body is taken from `budget`; None: there is one of `limits.bodies` for it alone.
    """

    __slots__ = (
        "_again",
        "_body",
        "_budget",
        "_deliver",
        "_done",
        "_headers",
        "_limits",
        "_now",
        "_parse",
        "_parser",
        "_proceed",
        "_received",
        "_repeats",
        "_target",
        "_waiting",
        "body_started",
        "started",
    )

    def __init__(
        self,
        limits: Limits,
        deliver: Deliver,
        proceed: Callable[[], None],
        budget: BodyBudget | None = None,
    ) -> None:
        self._limits = limits
        self._budget = budget or BodyBudget(limits.bodies)
        self._deliver = deliver
        self._proceed = proceed
        self._parser: Any = httptools.HttpRequestParser(self)
        self._parse = self._parser.feed_data
        self._headers: dict[bytes, bytes] = {}
        # Values of fields sent more than once; `_repeats` are those beyond the first of each.
        self._again: dict[bytes, list[bytes]] | None = None
        self._target = b""
        self._body: _Body | None = None
        self._waiting: bytearray | None = None  # pieces of a line
        self._received = 0
        self._now = 0.0
        self._done = False
        self.started = 0.0  # when the first byte of an unfinished request came; 0.0: there is none
        self.body_started = 0.0  # when its head was whole; 0.0: it is not

    def feed(self, data: bytes, now: float) -> None:
        """Take what has arrived at the time `now`; at most PIECE bytes, if it is a stranger's.

        Raises:
            Refused: this is not a request that can be read; nothing more can be.
        """
        self._now = now
        if self.started:
            self._received += len(data)
            if self._body is None or self._body.chunked:
                piece, data = data, self._collected(data)
                if not data:
                    self._check_bounds(len(piece), now)
                    return
        else:
            self.started = now
            self._received = len(data)
        try:
            self._parse(data)
        except httptools.HttpParserUpgrade as upgrade:
            self._decline_upgrades(data[upgrade.args[0] :])
        except httptools.HttpParserError as error:
            self._fail(error)
        if self.started:
            self._check_unfinished(data, now)

    def drop_body(self) -> None:
        """Let go of what has come of a body; nothing more is read."""
        if self._body is not None:
            self._budget.give_back(self._body.held)
            self._body = None

    def forget(self) -> None:
        """Let go of what refers back to this reader; the connection is gone."""
        if self._body is not None:
            self.drop_body()
        del self._parser, self._parse, self._deliver, self._proceed

    # What the parser calls. A request without a body passes on_url, on_header, … ,
    # on_headers_complete, on_message_complete.

    def on_url(self, part: bytes) -> None:
        self._target += part
        if not self.started:  # pipelined behind another
            self.started = self._now
            self._received = _UNKNOWN

    def on_header(self, name: bytes, value: bytes) -> None:
        name = name.lower()
        headers = self._headers
        if name in headers:
            self._repeat(name, value)
        else:
            headers[name] = value.rstrip(b" \t")

    def on_headers_complete(self) -> None:
        headers = self._headers
        if self._again is not None:
            self._join_repeated()
        elif len(headers) > self._limits.fields:
            raise RequestRejected(refusals.HEAD_LARGE)
        if self._received > self._limits.target:
            self._measure()
        # Only HTTP/1.1 keeps a connection of which nothing is said; to ask for the version is dear.
        kept = b"connection" not in headers and self._parser.should_keep_alive()
        if not kept or b"host" not in headers:
            self._check_version()
        if b"content-length" in headers or b"transfer-encoding" in headers or b"expect" in headers:
            self._open_body()

    def on_body(self, part: bytes) -> None:
        body = self._body
        if body is None:
            return
        body.add(part)
        if body.length > self._limits.body:
            raise RequestRejected(refusals.BODY_LARGE)

    def on_message_complete(self) -> None:
        parser = self._parser
        verb = parser.get_method()
        method = _METHODS.get(verb) or _uncommon(verb)
        target = self._target
        if target[0] != 0x2F:
            target = _path_of(target, method)
        headers = self._headers
        body = b""
        if self._body is not None:
            headers, body = self._close_body(self._body)
        keep = KEEP
        if not parser.should_keep_alive():
            keep = CLOSE
            self._done = True
        elif b"connection" in headers and parser.get_http_version() == "1.0":
            keep = KEEP_10
        started = self.started
        self.started = 0.0
        self._headers = {}
        self._again = None
        self._target = b""
        if not self._deliver(method, target.decode("latin-1"), headers, body, keep, started):
            self._done = True
            raise _Enough

    # The roads less travelled.

    def _repeat(self, name: bytes, value: bytes) -> None:
        if name == b"host":
            raise RequestRejected(refusals.NO_HOST)
        if self._again is None:
            self._again, self._repeats = {}, 0
        self._repeats += 1
        self._check_number_of_fields()
        values = self._again.get(name)
        if values is None:
            values = self._again[name] = [self._headers[name]]
        values.append(value.rstrip(b" \t"))

    def _check_number_of_fields(self) -> None:
        """Those that are read now, and those of the head if it is trailers that are."""
        repeats = 0 if self._again is None else self._repeats
        before = 0 if self._body is None else self._body.fields
        if before + len(self._headers) + repeats > self._limits.fields:
            raise RequestRejected(refusals.HEAD_LARGE)

    def _join_repeated(self) -> None:
        self._check_number_of_fields()
        for name, values in (self._again or {}).items():
            self._headers[name] = b", ".join(values)

    def _check_version(self) -> None:
        version = self._parser.get_http_version()
        if version not in ("1.1", "1.0"):
            raise RequestRejected(refusals.VERSION)
        if version == "1.1":
            if b"host" not in self._headers:
                raise RequestRejected(refusals.NO_HOST)
            return
        if b"transfer-encoding" in self._headers:
            # RFC 9112 §6.1: a sign of faulty framing, whoever sent it.
            raise RequestRejected(refusals.CODED_10)

    def _open_body(self) -> None:
        headers = self._headers
        coding = headers.get(b"transfer-encoding")
        if coding is not None and coding.lower() != b"chunked":
            raise RequestRejected(refusals.CODING)
        # llhttp has made sure that it is a number, and that there is only one.
        if int(headers.get(b"content-length", b"0")) > self._limits.body:
            raise RequestRejected(refusals.BODY_LARGE)
        # Fields that come after a chunked body are counted with the head's; no handler sees them.
        repeats = 0 if self._again is None else self._repeats
        self._again = None
        self._body = _Body(
            headers,
            fields=len(headers) + repeats,
            size=0 if coding is None else self._size_of_fields(),
            chunked=coding is not None,
        )
        self._headers = {}
        expect = headers.get(b"expect")
        if expect is None:
            return
        if expect.lower() != b"100-continue":
            raise RequestRejected(refusals.EXPECTATION)
        if self._parser.get_http_version() == "1.1":  # RFC 9110 §10.1.1: not for HTTP/1.0
            self._proceed()

    def _close_body(self, body: _Body) -> tuple[dict[bytes, bytes], bytes]:
        if self._headers:
            self._check_trailers(body)
        self.drop_body()
        self.body_started = 0.0
        return body.head, b"".join(body.blocks)

    def _measure(self) -> None:
        """The exact sizes of a head that may be too large, whatever pieces it came in."""
        if len(self._target) > self._limits.target:
            raise RequestRejected(refusals.TARGET_LONG)
        if len(self._target) + self._size_of_fields() > self._limits.head:
            raise RequestRejected(refusals.HEAD_LARGE)

    def _size_of_fields(self) -> int:
        return sum(len(name) + len(value) + 4 for name, value in self._headers.items())

    def _check_trailers(self, body: _Body) -> None:
        """Head and trailers have one budget, of bytes and of fields."""
        self._join_repeated()
        if body.size + self._size_of_fields() > self._limits.head:
            raise RequestRejected(refusals.HEAD_LARGE)

    def _check_unfinished(self, data: bytes, now: float) -> None:
        blank = self._body is None and not self._target and not data.strip(b"\r\n")
        if blank:  # RFC 9112 §2.2: blank lines before a request are nothing
            self.started = 0.0
        else:
            self._check_bounds(len(data), now)

    def _check_bounds(self, size: int, now: float) -> None:
        if self._received >= _UNKNOWN:
            self._received = size
        if self._body is not None:
            self.body_started = self.body_started or now
            self._check_unfinished_body(self._body, size)
        elif len(self._target) > self._limits.target:
            raise RequestRejected(refusals.TARGET_LONG)
        elif self._received > self._limits.head:
            raise RequestRejected(refusals.HEAD_LARGE)
        else:
            self._check_number_of_fields()

    def _check_unfinished_body(self, body: _Body, size: int) -> None:
        if self._received > self._limits.head + _FRAMING * self._limits.body:
            raise RequestRejected(refusals.BODY_LARGE)
        more = body.length - body.held
        if more:
            body.bare = 0
            if not self._budget.take(more):
                raise RequestRejected(refusals.BODIES_FULL)
            body.held += more
        else:
            body.bare += size
            self._check_number_of_fields()
            if body.size + body.bare > self._limits.head:
                raise RequestRejected(refusals.HEAD_LARGE)

    def _collected(self, data: bytes) -> bytes:
        """`data` with what was held before it; b"" if it is held as well.

        A field that comes in many pieces is put together by httptools, which copies for each of
        them all that it has. Heads and chunks end with a line, so that what is no end can wait.
        """
        waiting = self._waiting
        if waiting is None:
            waiting = self._waiting = bytearray()
        waiting += data
        if len(waiting) < PIECE and b"\n" not in data:
            return b""
        self._waiting = None
        return bytes(waiting)

    def _decline_upgrades(self, rest: bytes) -> None:
        """Go on with HTTP/1.1: the request was answered as if it had not asked for more."""
        while True:
            self._parser = httptools.HttpRequestParser(self)
            self._parse = self._parser.feed_data
            if not rest or self._done:
                return
            try:
                self._parse(rest)
            except httptools.HttpParserUpgrade as upgrade:
                rest = rest[upgrade.args[0] :]
                continue
            except httptools.HttpParserError as error:
                self._fail(error)
            return

    def _fail(self, error: httptools.HttpParserError) -> None:
        if self._done:
            return  # what follows the last request is not read
        cause = error.__context__
        if isinstance(cause, RequestRejected):
            raise cause from None
        if isinstance(error, httptools.HttpParserCallbackError):
            raise error
        if isinstance(error, httptools.HttpParserInvalidMethodError):
            raise RequestRejected(refusals.METHOD) from error
        raise RequestRejected(refusals.MALFORMED) from error


def _uncommon(verb: bytes) -> str:
    """The name of a method; CONNECT is refused, a 200 to it would make a tunnel."""
    if verb == b"CONNECT":
        raise RequestRejected(refusals.METHOD)
    return verb.decode()


def _path_of(target: bytes, method: str) -> bytes:
    """The path and query of a target in absolute form (RFC 9112 §3.2.2); ``*`` stays."""
    if target == b"*" and method == "OPTIONS":
        return target
    path, found = _ABSOLUTE.subn(b"", target, count=1)
    if not found:
        raise RequestRejected(refusals.BAD_TARGET)
    return path if path.startswith(b"/") else b"/" + path
