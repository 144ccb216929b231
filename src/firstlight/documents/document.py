"""The bytes of one path, with at most one hole that is filled anew for every request."""

import binascii
from collections.abc import Callable
from enum import Enum, auto
from typing import Any

from msgspec import Struct

from firstlight.documents.encoding import dumps

JSON = b"application/json"
PLAIN = b"text/plain; charset=UTF-8"
HTML = b"text/html; charset=UTF-8"

SEED_BYTES = 512


class Hole(Enum):
    """What is not known before the request is there."""

    SEED = auto()  # base64 of 512 random bytes
    REQUESTER = auto()  # the address of whoever asks


class Document(Struct, frozen=True, gc=False):
    """`head`, then whatever belongs into `hole`, then `tail`."""

    content_type: bytes
    head: bytes
    hole: Hole | None = None
    tail: bytes = b""

    def body(self, seed: Callable[[], bytes], requester: str | None) -> bytes:
        """The whole body; `seed` makes a fresh one, `requester` is None if unknown."""
        if self.hole is None:
            return self.head
        value = seed() if self.hole is Hole.SEED else str(requester).encode()
        return b"".join((self.head, value, self.tail))


def seed(random: Callable[[int], bytes]) -> bytes:
    """A fresh ``random_seed``: 684 characters of base64."""
    return binascii.b2a_base64(random(SEED_BYTES), newline=False)


def as_json(value: Any) -> Document:
    """A JSON document with Nova's spacing and escapes."""
    return Document(JSON, dumps(value))


def as_lines(lines: list[str] | tuple[str, ...]) -> Document:
    """A listing: one entry a line, none after the last."""
    return Document(PLAIN, "\n".join(lines).encode())
