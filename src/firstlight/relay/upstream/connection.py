"""One connection to a metadata service: HTTP/1.1, a request at a time."""

import asyncio
from typing import Any, NamedTuple, cast

import httptools

# Headers that concern one connection only (RFC 9110 §7.6.1), or that our HTTP server sets.
_NOT_PASSED = frozenset(
    (
        b"connection",
        b"content-length",
        b"content-type",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
        b"x-openstack-request-id",
    )
)
# Of an upstream's header fields and trailers together, as of a request's: bytes, and how many.
_MAX_HEAD = 64 * 1024
_MAX_FIELDS = 100
_LARGE_FIELDS = f"its header fields and trailers are larger than {_MAX_HEAD} bytes"
_MANY_FIELDS = f"it sent more than {_MAX_FIELDS} header fields and trailers"
# Bytes of chunk framing that may come with each byte of a body: "1\r\nx\r\n" is six for one.
_FRAMING = 8


class UpstreamAnswer(NamedTuple):
    """An upstream's response.

    `length` is what it said of a body that it did not send because of a HEAD, -1 if it said
    nothing; None: it sent it.
    """

    status: int
    content_type: bytes
    headers: tuple[tuple[bytes, bytes], ...]  # in their order, those that may be passed on
    body: bytes
    length: int | None = None


class ConnectionBroken(Exception):
    """The connection ended, or what came by it is not a response; the message says which.

    `silent`: nothing had come at all.
    """

    def __init__(self, reason: str, *, silent: bool = False) -> None:
        super().__init__(reason)
        self.silent = silent


class UpstreamConnection(asyncio.Protocol):
    """A connection that may be used again and again while it is `open`.

    `max_body` bounds a response's body, in bytes.
    """

    def __init__(self, max_body: int) -> None:
        self.open = False
        self.used = 0  # responses so far
        self.since = 0.0  # when it was laid aside; its owner's
        self._max_body = max_body
        self._transport = cast(asyncio.Transport, None)  # until the connection is made
        self._waiting: asyncio.Future[UpstreamAnswer] | None = None
        self._parser: Any = None

    async def ask(self, message: bytes, *, head: bool) -> UpstreamAnswer:
        """Send a whole request; its response. `head`: the response has no body.

        If whoever waits is cancelled the connection is closed, since its response may still come.

        Raises:
            ConnectionBroken: there is no whole response.
        """
        if not self.open:
            raise ConnectionBroken("it was closed", silent=True)
        self._begin(head)
        waiting: asyncio.Future[UpstreamAnswer] = asyncio.get_running_loop().create_future()
        self._waiting = waiting
        try:
            self._transport.write(message)
            return await waiting
        finally:
            if self._waiting is not None:  # cancelled
                self._waiting = None
                self.close()

    def close(self) -> None:
        """End it at once."""
        self.open = False
        if self._transport is not None:
            self._transport.abort()

    def _begin(self, head: bool) -> None:
        self._head = head
        self._status = 0
        self._received = 0
        self._trailers = 0
        self._trailers_size = 0
        self._headers: list[tuple[bytes, bytes]] = []
        self._named: dict[bytes, bytes] = {}
        self._body = bytearray()
        self._in_body = self._whole = self._keep = False
        self._parser = httptools.HttpResponseParser(self)

    # What the event loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self.open = True

    def data_received(self, data: bytes) -> None:
        if self._waiting is None:
            self.close()  # nothing was asked
            return
        self._received += len(data)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            if not self._whole:
                self._fail(_cause(error))
                return
            self._finish()
            self.close()  # it sent more than it was asked for
            return
        if self._whole:
            self._finish()
        elif self._received - _FRAMING * len(self._body) > _MAX_HEAD:
            self._fail(ConnectionBroken(_LARGE_FIELDS))

    def eof_received(self) -> bool:
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self.open = False
        if self._waiting is None:
            return
        if exc is None and self._in_body and not self._framed():
            self._finish()  # the end of the connection is the end of the body
        else:
            why = "it closed the connection" if exc is None else f"the connection was lost: {exc}"
            self._fail(ConnectionBroken(why, silent=not self._received))

    # What the parser calls.

    def on_message_begin(self) -> None:
        if self._whole:
            raise ConnectionBroken("it sent more than it was asked for")

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._in_body:
            self._count_trailer(name, value)
            return
        name_ = name.lower()
        self._named.setdefault(name_, value)
        if name_ not in _NOT_PASSED:
            self._headers.append((name, value.strip(b" \t")))

    def on_headers_complete(self) -> None:
        if self._received > _MAX_HEAD:
            self._check_size()
        if len(self._headers) > _MAX_FIELDS:
            raise ConnectionBroken(_MANY_FIELDS)
        self._status = self._parser.get_status_code()
        if self._status == 101:
            raise ConnectionBroken("it changed the protocol, which nobody asked for")
        if self._status < 200:
            self._headers.clear()
            self._named.clear()
            return
        self._in_body = True
        if self._head:
            self._complete()  # a body would be of the next response

    def on_body(self, part: bytes) -> None:
        if self._head:
            return
        self._body += part
        if len(self._body) > self._max_body:
            raise ConnectionBroken(f"its response is larger than {self._max_body} bytes")

    def on_message_complete(self) -> None:
        if self._status >= 200 and not self._whole:
            self._complete()

    def _count_trailer(self, name: bytes, value: bytes) -> None:
        """No guest hears of a trailer; its bounds are the head's."""
        self._trailers += 1
        if self._trailers + len(self._headers) > _MAX_FIELDS:
            raise ConnectionBroken(_MANY_FIELDS)
        self._trailers_size += _size(name, value)
        self._check_size()

    def _check_size(self) -> None:
        """A large read may hold all of a head, or of trailers, that is too large."""
        head = sum(_size(name, value) for name, value in self._headers)
        if head + self._trailers_size > _MAX_HEAD:
            raise ConnectionBroken(_LARGE_FIELDS)

    def _complete(self) -> None:
        self._whole = True
        # The parser knows it only now.
        self._keep = self._parser.should_keep_alive()

    # The end of a response.

    def _framed(self) -> bool:
        return b"content-length" in self._named or b"transfer-encoding" in self._named

    def _finish(self) -> None:
        waiting, self._waiting = self._waiting, None
        if not self._keep:
            self.close()
        self._parser = None
        self.used += 1
        if waiting is not None and not waiting.done():
            waiting.set_result(self._answer())

    def _answer(self) -> UpstreamAnswer:
        hop = self._named.get(b"connection", b"").lower()
        headers = self._headers
        if hop not in (b"", b"close", b"keep-alive"):
            named = {name.strip() for name in hop.split(b",")}
            headers = [(name, value) for name, value in headers if name.lower() not in named]
        length = int(self._named.get(b"content-length", b"-1")) if self._head else None
        return UpstreamAnswer(
            self._status,
            self._named.get(b"content-type", b""),
            tuple(headers),
            bytes(self._body),
            length,
        )

    def _fail(self, broken: ConnectionBroken) -> None:
        waiting, self._waiting = self._waiting, None
        self._parser = None
        self.close()
        if waiting is not None and not waiting.done():
            waiting.set_exception(broken)


def _size(name: bytes, value: bytes) -> int:
    return len(name) + len(value) + 4  # ": " and the end of the line


def _cause(error: Exception) -> ConnectionBroken:
    cause = error.__context__
    if isinstance(cause, ConnectionBroken):
        return cause
    return ConnectionBroken(f"what it sent is not HTTP: {error}")
