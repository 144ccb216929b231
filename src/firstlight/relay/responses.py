"""What the relay answers: what an upstream said, or a sentence of its own, as plain text.

Plain text and nothing else, whatever the guest accepts: a body is what its type says, and no
client takes it for a document.
"""

from http import HTTPStatus

from firstlight.httpd.protocol.messages import TEXT, Request, Response
from firstlight.relay.contract import Ambiguous, Nobody, Unavailable
from firstlight.relay.upstream.connection import UpstreamAnswer

_FAILED = {
    502: "The metadata service broke off. Please try your request again.",
    503: "The metadata service is unavailable. Please try your request again later.",
    504: "The metadata service did not answer in time. Please try your request again.",
}
_AWAY = "It cannot be found out at the moment which server asks. Please try your request again."
_UNKNOWN = "No server is known at the address that asks."  # nor does a guest learn of namesakes


def passed_on(answer: UpstreamAnswer, stale: int | None = None) -> Response:
    """An upstream's response, byte for byte; said to be stale if who asks is known from before.

    Args:
        stale: seconds since the guest was looked up, if it cannot be looked up now.
    """
    headers = answer.headers
    if stale is not None:
        headers = (*headers, (b"Firstlight-Stale", b"identity; age=%d" % stale))
    return Response(answer.status, answer.body, answer.content_type, headers, answer.length)


def refusal(status: int, sentence: str, *headers: tuple[bytes, bytes]) -> Response:
    """A sentence of our own, below its status."""
    body = f"{status} {HTTPStatus(status).phrase}\n\n{sentence}\n"
    return Response(status, body.encode(), TEXT, headers)


def failed(status: int) -> UpstreamAnswer:
    """In place of an upstream's answer: 502, 503 or 504."""
    response = refusal(status, _FAILED[status])
    headers = ((b"Retry-After", b"1"),) if status == 503 else ()
    return UpstreamAnswer(status, TEXT, headers, response.body)


def unrecognised(who: Nobody | Ambiguous | Unavailable) -> Response:
    """To a guest that is nobody, or cannot be told apart, or cannot be looked up now."""
    if isinstance(who, Unavailable):
        return refusal(503, _AWAY, (b"Retry-After", b"1"))
    return refusal(404, _UNKNOWN)


def refused(status: int, reason: str, request: Request | None) -> Response:  # noqa: ARG001  the caller's signature
    """What the HTTP server refuses (:data:`firstlight.httpd.protocol.refusals.MakeRefusal`)."""
    return refusal(status, reason)
