"""What a target's response means, by Nova's rules: pure."""

import codecs
import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from math import isfinite
from typing import Any, NoReturn

from msgspec import Struct

from firstlight.instance import Answer, State

# Levels of arrays and objects in an answer. The document that it becomes a part of is written by
# what stops at some 980, and would be lost as a whole.
_DEPTH = 64
# Codecs for names of hosts: decoding takes the square of the length.
_NO_CHARSETS = frozenset(("punycode", "idna"))
_LONGEST_CHARSET = 40  # characters; Python remembers each name that it has looked for


class TargetResponse(Struct, frozen=True, kw_only=True):
    """A target's last response, read whole."""

    status: int
    body: bytes = b""
    content_type: str | None = None
    charset: str | None = None  # as declared, or HTTP's default for text; None: neither
    location: str | None = None  # of a redirect
    trusted: bool = True  # from the target's own origin, where redirects may have led elsewhere
    headers: Mapping[str, str] = {}  # looked up in any case


def answer(reply: TargetResponse, fetched: float) -> Answer:
    """Any JSON value counts, whatever its Content-Type; no body is an answer too.

    ``{}`` is what a service says that has nothing to say: it is EMPTY, as no body is.
    """
    if reply.status >= 400:
        return failed(f"answered {reply.status}", fetched)
    if not reply.body:
        return empty(fetched)
    try:
        value = json.loads(_text(reply), parse_constant=_not_a_number)
        _check(value)
    except _Unacceptable as error:
        return failed(f"answered {reply.status} with JSON that {error}", fetched)
    except ValueError:
        kind = f" (Content-Type: {reply.content_type})" if reply.content_type else ""
        return failed(f"answered {reply.status} with a body that is not JSON{kind}", fetched)
    except RecursionError:
        return failed(f"answered {reply.status} with JSON that {_TOO_DEEP}", fetched)
    return empty(fetched) if value == {} else _ok(value, fetched)


class _Unacceptable(Exception):
    """It is JSON, of a kind; the message says what is wrong with it."""


_TOO_DEEP = f"is nested more than {_DEPTH} levels deep"


def _not_a_number(word: str) -> NoReturn:
    raise _Unacceptable(f"has {word} in it, which is no number of JSON's")


def _check(value: Any) -> None:
    """Level by level: no recursion, and no more than `_DEPTH` of them.

    Raises:
        _Unacceptable: it is nested too deeply, or has a number past the largest.
    """
    level = [value]
    for _ in range(_DEPTH + 1):
        if any(isinstance(one, float) and not isfinite(one) for one in level):
            raise _Unacceptable("has a number in it that is past the largest")
        outer = [one for one in level if isinstance(one, (dict, list))]
        if not outer:
            return
        level = [inner for one in outer for inner in _inside(one)]
    raise _Unacceptable(_TOO_DEEP)


def _inside(value: dict[str, Any] | list[Any]) -> Iterable[Any]:
    return value.values() if isinstance(value, dict) else value


def empty(fetched: float) -> Answer:
    """The target was asked and had nothing to say."""
    return Answer(value={}, state=State.EMPTY, fetched=fetched)


def failed(reason: str, fetched: float) -> Answer:
    """The target was not asked or did not answer properly; guests see ``{}``."""
    return Answer(value={}, state=State.FAILED, fetched=fetched, reason=reason)


def _ok(value: Any, fetched: float) -> Answer:
    return Answer(value=value, state=State.OK, fetched=fetched)


def _text(reply: TargetResponse) -> str:
    """The body as text. Where no charset is declared JSON is a Unicode encoding (RFC 8259, 8.1)."""
    charset = reply.charset or json.detect_encoding(reply.body)
    with suppress(LookupError):  # a charset nobody has heard of
        if len(charset) <= _LONGEST_CHARSET and codecs.lookup(charset).name not in _NO_CHARSETS:
            return reply.body.decode(charset, errors="replace")
    return reply.body.decode(errors="replace")
