"""Undoes the Content-Encoding of a target's answer, in steps whose size is bounded.

An answer of 235 bytes can stand for a GiB, so the libraries below are never asked to decompress:
older ones do it in one go. Which codings count, and how leniently they are read, is as urllib3 has
it, because that is how Nova reads them.
"""

import zlib
from collections.abc import Iterator, Sequence
from typing import Any

# What requests are sent with. requests would name brotli and zstandard, where they are installed.
ACCEPTED = "gzip, deflate"

_MOST = 5  # codings of one answer
_STEP = 64 * 1024  # bytes that are decompressed at a time
_GZIP, _ZLIB, _DEFLATE = 31, zlib.MAX_WBITS, -zlib.MAX_WBITS  # zlib's `wbits`


class TooLarge(Exception):
    """The answer, or what one of its codings comes to, is larger than was allowed."""


class Undecodable(Exception):
    """The body is not what its Content-Encoding says; the message says why."""


class Decoder:
    """Takes a body as it arrives, and holds what it decodes to.

    Args:
        encoding: the value of Content-Encoding. One unknown coding is taken for none, and of
            several the unknown ones are skipped.
        limit: bytes that the body may have before, between and after its codings, each.

    Raises:
        Undecodable: it names too many codings.
    """

    def __init__(self, encoding: str, limit: int) -> None:
        names = [name.strip() for name in encoding.lower().split(",", 2 * _MOST)]
        known = [name for name in names if name in ("gzip", "x-gzip", "deflate")]
        if len(known) > _MOST or len(names) > 2 * _MOST:
            raise Undecodable(f"more than {_MOST} codings")
        self._limit = limit
        self._received = 0
        self._stages = [_Stage(name, limit) for name in reversed(known)]
        self._pieces: list[bytes] = []
        self._made = 0

    def feed(self, data: bytes) -> None:
        """Take the next bytes of the body.

        Raises:
            TooLarge, Undecodable: nothing more need be read.
        """
        self._received += len(data)
        if self._received > self._limit:
            raise TooLarge
        for piece in _through(self._stages, data):
            self._pieces.append(piece)
            self._made += len(piece)
            if self._made > self._limit:
                raise TooLarge

    def content(self) -> bytes:
        """What it has decoded so far."""
        return b"".join(self._pieces)


class _Stage:
    """One coding."""

    def __init__(self, name: str, limit: int) -> None:
        self._gzip = name != "deflate"
        self._limit = limit
        self._made = 0
        self._members = 0  # of gzip, that are complete
        self._waiting = b""  # of deflate, until it is known which of two formats it is
        self._zlib: Any = None

    def steps(self, data: bytes) -> Iterator[bytes]:
        """What `data` decodes to, a step at a time."""
        if self._zlib is None and not self._gzip:
            data = self._waiting = self._waiting + data
            if len(data) < 2:
                return
        while data:
            if self._zlib is None:
                self._zlib = zlib.decompressobj(self._format(data))
            yield from self._of_one(data)
            if not self._zlib.eof:
                return
            data = self._zlib.unused_data if self._gzip else b""
            if self._gzip:
                self._zlib = None
                self._members += 1

    def _format(self, data: bytes) -> int:
        if self._gzip:
            return _GZIP
        # RFC 9110 §8.4.1.2: some send the bare format, whose first bytes never look like zlib's.
        return _ZLIB if data[0] & 0x0F == 8 and int.from_bytes(data[:2]) % 31 == 0 else _DEFLATE

    def _of_one(self, data: bytes) -> Iterator[bytes]:
        """What one member, or one deflate stream, decodes to."""
        while True:
            piece = self._decompressed(data)
            self._made += len(piece)
            if self._made > self._limit:
                raise TooLarge
            if piece:
                yield piece
            data = self._zlib.unconsumed_tail
            if self._zlib.eof or (not data and len(piece) < _STEP):
                return

    def _decompressed(self, data: bytes) -> bytes:
        try:
            piece: bytes = self._zlib.decompress(data, _STEP)
        except zlib.error as error:
            if self._members:  # what follows a whole member may be anything
                self._zlib = _Ignoring()
                return b""
            raise Undecodable(str(error)) from error
        return piece


class _Ignoring:
    """Takes the place of a decompressor behind which nothing counts."""

    eof = False
    unconsumed_tail = b""

    def decompress(self, data: bytes, most: int) -> bytes:  # noqa: ARG002  the signature of zlib's
        return b""


def _through(stages: Sequence[_Stage], data: bytes) -> Iterator[bytes]:
    if not stages:
        yield data
        return
    for piece in stages[0].steps(data):
        yield from _through(stages[1:], piece)
