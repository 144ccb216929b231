"""An image before it is a file: what stands where, and zeros between."""

from collections.abc import Iterator

from msgspec import Struct

ZEROS = bytes(1024 * 1024)  # the most that are handed out at once


class Image(Struct, frozen=True):
    """A disk of `size` bytes.

    Attributes:
        pieces: offset and bytes, ascending, none over another; the rest is zeros.
    """

    size: int
    pieces: tuple[tuple[int, bytes], ...]

    def __repr__(self) -> str:
        """Without the bytes, which hold secrets."""
        return f"Image({self.size} bytes)"

    def chunks(self) -> Iterator[bytes]:
        """All of it, in order."""
        at = 0
        for offset, piece in self.pieces:
            yield from _zeros(offset - at)
            yield piece
            at = offset + len(piece)
        yield from _zeros(self.size - at)


def _zeros(count: int) -> Iterator[bytes]:
    whole, rest = divmod(count, len(ZEROS))
    for _ in range(whole):
        yield ZEROS
    if rest:
        yield ZEROS[:rest]
