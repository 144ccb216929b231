"""An image as Ironic takes it: gzip, then base64, in one line."""

import base64
import zlib
from collections.abc import Iterable, Iterator

_GZIP = 16 + zlib.MAX_WBITS  # zlib's gzip header has no name and no time: the same bytes each time
_GROUP = 3  # bytes that base64 turns into four characters


def for_ironic(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The ``config_drive`` of a node, without a newline at the end."""
    rest = b""
    for packed in _gzip(chunks):
        ready = rest + packed
        whole = len(ready) - len(ready) % _GROUP
        rest = ready[whole:]
        yield base64.b64encode(ready[:whole])
    yield base64.b64encode(rest)


def _gzip(chunks: Iterable[bytes]) -> Iterator[bytes]:
    packer = zlib.compressobj(wbits=_GZIP)
    for chunk in chunks:
        yield packer.compress(chunk)
    yield packer.flush()
