"""What a target's response means, by Nova's rules: pure."""

import json
from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from firstlight.instance import Answer, State


class Reply(Struct, frozen=True, kw_only=True):
    """A target's last response, read whole."""

    status: int
    body: bytes = b""
    content_type: str | None = None
    charset: str | None = None  # as declared, or HTTP's default for text; None: neither
    location: str | None = None  # of a redirect
    headers: Mapping[str, str] = {}  # looked up in any case


def answer(reply: Reply, fetched: float) -> Answer:
    """Any JSON value counts, whatever its Content-Type; no body is an answer too.

    ``{}`` is what a service says that has nothing to say: it is EMPTY, as no body is.
    """
    if reply.status >= 400:
        return failed(f"answered {reply.status}", fetched)
    if not reply.body:
        return empty(fetched)
    try:
        value = json.loads(_text(reply))
    except ValueError:
        kind = f" (Content-Type: {reply.content_type})" if reply.content_type else ""
        return failed(f"answered {reply.status} with a body that is not JSON{kind}", fetched)
    except RecursionError:
        return failed(f"answered {reply.status} with JSON that is nested too deeply", fetched)
    return empty(fetched) if value == {} else _ok(value, fetched)


def empty(fetched: float) -> Answer:
    """The target was asked and had nothing to say."""
    return Answer(value={}, state=State.EMPTY, fetched=fetched)


def failed(reason: str, fetched: float) -> Answer:
    """The target was not asked or did not answer properly; guests see ``{}``."""
    return Answer(value={}, state=State.FAILED, fetched=fetched, reason=reason)


def _ok(value: Any, fetched: float) -> Answer:
    return Answer(value=value, state=State.OK, fetched=fetched)


def _text(reply: Reply) -> str:
    """The body as text. Where no charset is declared JSON is a Unicode encoding (RFC 8259, 8.1)."""
    charset = reply.charset or json.detect_encoding(reply.body)
    try:
        return reply.body.decode(charset, errors="replace")
    except LookupError:  # a charset nobody has heard of
        return reply.body.decode(errors="replace")
