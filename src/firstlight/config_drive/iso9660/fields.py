"""How ECMA-119 writes numbers, times and places."""

import struct
from datetime import UTC, datetime
from typing import NamedTuple

SECTOR = 2048


class Extent(NamedTuple):
    """Where something is: `sector` it begins in, `size` in bytes."""

    sector: int
    size: int


NOWHERE = Extent(0, 0)


def both16(value: int) -> bytes:
    """§7.2.3: little-endian, then big-endian."""
    return struct.pack("<H", value) + struct.pack(">H", value)


def both32(value: int) -> bytes:
    """§7.3.3: little-endian, then big-endian."""
    return struct.pack("<I", value) + struct.pack(">I", value)


def short_time(epoch: int) -> bytes:
    """§9.1.5, in UTC."""
    at = datetime.fromtimestamp(epoch, UTC)
    return bytes((at.year - 1900, at.month, at.day, at.hour, at.minute, at.second, 0))


def long_time(epoch: int) -> bytes:
    """§8.4.26.1, in UTC."""
    return f"{datetime.fromtimestamp(epoch, UTC):%Y%m%d%H%M%S}00".encode() + b"\0"


NO_TIME = b"0" * 16 + b"\0"


def sectors(size: int) -> int:
    """So many are needed for `size` bytes."""
    return -(-size // SECTOR)
