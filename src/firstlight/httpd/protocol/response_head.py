"""The head of a response, from pieces made beforehand."""

import re
from functools import lru_cache
from http import HTTPStatus

from firstlight.httpd.protocol.messages import Response

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"

_PHRASES = {status.value: status.phrase for status in HTTPStatus}
# RFC 9110 §8.6: these carry no Content-Length.
_BODILESS = frozenset((204, 304))
_FORBIDDEN = re.compile(rb"[\r\n\0]")


def render(response: Response, request_id: str, connection: str) -> bytes:
    """Everything before the body.

    There is no Server header, because it helps only those who look for old versions, and no Date:
    nothing here is cached by time (RFC 9110 §6.6.1 leaves it to those with a clock to trust).

    Raises:
        ValueError: the response has a header that would break the message.
    """
    first = _first_lines(response.status, response.content_type)
    size = len(response.body) if response.length is None else response.length
    length = "" if response.status in _BODILESS or size < 0 else f"Content-Length: {size}\r\n"
    extra = _extra(response.headers) if response.headers else ""
    return f"{first}{length}X-OpenStack-Request-Id: {request_id}\r\n{extra}{connection}\r\n".encode(
        "latin-1"
    )


@lru_cache(maxsize=256)
def _first_lines(status: int, content_type: bytes) -> str:
    """What most responses have in common."""
    phrase = _PHRASES.get(status, "")
    line = f"HTTP/1.1 {status} {phrase}\r\n"
    return line + f"Content-Type: {_checked(content_type)}\r\n" if content_type else line


def _extra(headers: tuple[tuple[bytes, bytes], ...]) -> str:
    return "".join(f"{_checked(name)}: {_checked(value)}\r\n" for name, value in headers)


def _checked(field: bytes) -> str:
    if _FORBIDDEN.search(field):
        raise ValueError(f"a line break in the response header {field!r}")
    return field.decode("latin-1")
