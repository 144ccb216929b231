"""Directory records (ECMA-119 §9.1), and directories full of them."""

from collections.abc import Iterable

from firstlight.config_drive.iso9660.fields import SECTOR, Extent, both16, both32

THIS, PARENT = b"\0", b"\1"  # §7.6.2, §7.6.3

_IS_DIRECTORY = 2


def record(
    identifier: bytes, place: Extent, time: bytes, *, directory: bool = False, use: bytes = b""
) -> bytes:
    """One record, its length even; `use` is its system use."""
    body = (
        both32(place.sector)
        + both32(place.size)
        + time
        + bytes((_IS_DIRECTORY if directory else 0, 0, 0))
        + both16(1)
        + bytes((len(identifier),))
        + identifier
        + bytes(1 - len(identifier) % 2)
        + use
    )
    body += bytes(len(body) % 2)
    return bytes((2 + len(body), 0)) + body


def extent(records: Iterable[bytes]) -> bytes:
    """Whole sectors of records, none of which crosses a sector's end (§6.8.1.1)."""
    body = bytearray()
    for one in records:
        left = -len(body) % SECTOR
        body += bytes(left if left < len(one) else 0) + one
    return bytes(body) + bytes(-len(body) % SECTOR)
