"""What the HTTP server refuses by itself, before or instead of the handler."""

from collections.abc import Callable
from typing import NamedTuple

from firstlight.httpd.protocol.messages import Request, Response


class Rejection(NamedTuple):
    """Why the handler is not asked: `name` is for counting, `status` is the honest one."""

    name: str
    status: int
    reason: str


class RequestRejected(Exception):
    """Ends the reading of a connection; carries the :class:`Rejection`."""

    def __init__(self, refusal: Rejection) -> None:
        super().__init__(refusal.reason)
        self.refusal = refusal


# `(status, reason, request)`; the request is None as long as there is not a whole one. The
# response is sent as it is, so a service can answer with the statuses its clients know.
MakeRefusal = Callable[[int, str, Request | None], Response]

MALFORMED = Rejection("malformed", 400, "The request is not well-formed HTTP.")
NO_HOST = Rejection("no-host", 400, "HTTP/1.1 asks for exactly one Host header.")
CUT_SHORT = Rejection("cut-short", 400, "The connection ended in the middle of a request.")
CODED_10 = Rejection("framing", 400, "HTTP/1.0 has no Transfer-Encoding.")
BAD_TARGET = Rejection("bad-target", 400, "The request target is neither a path nor a URL.")
HEAD_SLOW = Rejection("head-slow", 408, "The request's head took too long to arrive.")
BODY_SLOW = Rejection("body-slow", 408, "The request's body took too long to arrive.")
BODY_LARGE = Rejection("body-large", 413, "The request's body is too large.")
TARGET_LONG = Rejection("target-long", 414, "The request target is too long.")
EXPECTATION = Rejection("expectation", 417, "Only the expectation 100-continue can be met.")
HEAD_LARGE = Rejection("head-large", 431, "The request's header fields are too large or too many.")
CRASHED = Rejection("crashed", 500, "The server failed; its log says how.")
METHOD = Rejection("method", 501, "The request begins with no method this server knows.")
CODING = Rejection("coding", 501, "The only Transfer-Encoding this server knows is chunked.")
BODIES_FULL = Rejection("bodies-full", 503, "Too many bodies are on their way; try again.")
ANSWER_LATE = Rejection("answer-late", 503, "The answer took too long to find; try again.")
VERSION = Rejection("version", 505, "This server speaks HTTP/1.1 and HTTP/1.0.")


def plain(status: int, reason: str, request: Request | None) -> Response:  # noqa: ARG001  the caller's signature
    """The refusal of a server that was given no other: its reason as text."""
    return Response(status, reason.encode() + b"\n")
