"""The head of a response, from pieces made beforehand."""

import re
from http import HTTPStatus

from firstlight.wire.messages import Response

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"

_STATUS_LINES = {
    status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n".encode() for status in HTTPStatus
}
# RFC 9110 §8.6: these carry no Content-Length.
_BODILESS = frozenset((204, 304))
_FORBIDDEN = re.compile(rb"[\r\n\0]")


def render(response: Response, request_id: str, connection: bytes) -> bytes:
    """Everything before the body.

    There is no Server header, because it helps only those who look for old versions, and no Date:
    nothing here is cached by time (RFC 9110 §6.6.1 leaves it to those with a clock to trust).

    Raises:
        ValueError: the response has a header that would break the message.
    """
    status = response.status
    lines = [_STATUS_LINES.get(status) or b"HTTP/1.1 %d \r\n" % status]
    if response.content_type:
        lines += (b"Content-Type: ", response.content_type, b"\r\n")
    if status not in _BODILESS:
        lines += (b"Content-Length: ", str(len(response.body)).encode(), b"\r\n")
    lines += (b"X-OpenStack-Request-Id: ", request_id.encode(), b"\r\n")
    if response.headers:
        lines.append(_extra(response.headers))
    lines += (connection, b"\r\n")
    return b"".join(lines)


def _extra(headers: tuple[tuple[bytes, bytes], ...]) -> bytes:
    for name, value in headers:
        if _FORBIDDEN.search(name) or _FORBIDDEN.search(value):
            raise ValueError(f"response header {name!r} contains a line break")
    return b"".join(b"%b: %b\r\n" % header for header in headers)
