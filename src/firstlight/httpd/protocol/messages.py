"""What passes between the HTTP server and its handlers: requests and responses, plain values."""

from collections.abc import Callable, Mapping
from concurrent.futures import Future
from typing import Any, Protocol

TEXT = b"text/plain; charset=UTF-8"


class KeptConnection(Protocol):
    """The connection that a request came by, as far as a handler may know it.

    Attributes:
        remembered: None at the connection's first request, and then what a handler left there.
        scope: index of the interface, if the peer's address is a link-local one; else 0.
    """

    remembered: Any

    @property
    def scope(self) -> int: ...


class Request:
    """One request, whole: the body has been read.

    `headers` has lower-case names; a header sent more than once is joined with ``", "`` (RFC 9110
    §5.3), as a WSGI server does. `target` is the request target as sent, undecoded; of one in
    absolute form (``http://host/path``) it is the path and query.
    """

    __slots__ = (
        "body",
        "connection",
        "headers",
        "id",
        "listener",
        "method",
        "peer",
        "subject",
        "target",
    )

    def __init__(
        self,
        method: str,
        target: str,
        headers: Mapping[bytes, bytes],
        body: bytes = b"",
        *,
        peer: str = "",
        listener: Any = None,
        id: str = "-",  # noqa: A002  (the trade's word)
        connection: KeptConnection | None = None,
    ) -> None:
        self.method = method
        self.target = target
        self.headers = headers
        self.body = body
        self.peer = peer  # the other end's address without port; "" on a unix socket
        self.listener = listener  # what the listener it came in by stands for
        self.connection = connection  # None: it did not come by one
        self.id = id  # req-<uuid>, in the log and in the response
        self.subject = "-"  # set by the handler: who was asking, for the log

    def header(self, name: bytes) -> str | None:
        """A header as text (Latin-1, as HTTP carries it), or None."""
        value = self.headers.get(name)
        return None if value is None else value.decode("latin-1")


class Response:
    """A whole response. Content-Length and Connection are the HTTP server's business.

    `length` is what Content-Length says instead of the body's size, for the answer to a HEAD that
    somebody else was asked; a negative one says that nobody knows.
    """

    __slots__ = ("body", "content_type", "headers", "length", "status")

    def __init__(
        self,
        status: int = 200,
        body: bytes = b"",
        content_type: bytes = TEXT,
        headers: tuple[tuple[bytes, bytes], ...] = (),
        length: int | None = None,
    ) -> None:
        self.status = status
        self.body = body
        self.content_type = content_type
        self.headers = headers
        self.length = length


# A handler answers at once (hot), or hands back a future that a worker thread will fulfil (cold).
# It is called on the event loop and must not block. A future that raises is answered with a 500;
# it is never cancelled, so that several requests may wait for the same one.
Handler = Callable[[Request], "Response | Future[Response]"]
# Answers what can be answered in microseconds, on the event loop, as soon as it has been read;
# None: the handler is to be asked, when those who are hot have been answered.
Hot = Callable[[Request], Response | None]
# Called on the event loop after each response, with the seconds it took from the first byte.
Observer = Callable[[Request, Response, float], None]
