"""Directory entries: the 32 bytes that every FAT has, and those of long names before them."""

import re
import struct
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

ENTRY = 32
LABEL, DIRECTORY, FILE, _LONG_NAME = 0x08, 0x10, 0x20, 0x0F

_UNITS = 13  # of a name in one long entry
_LAST_LONG = 0x40
_NOT_SHORT = re.compile(r"[^A-Z0-9_-]")
_BEGINNING = 315532800  # 1980-01-01: FAT knows no earlier time


def aliases(names: Iterable[str]) -> Iterator[tuple[str, bytes]]:
    """Each name with a short one of 8 + 3 characters, sorted; ``~`` and a number end the eight.

    Nobody reads them, but every entry has one and no two in a directory may be equal.
    """
    for number, name in enumerate(sorted(names), 1):
        stem, _, extension = name.upper().rpartition(".") if "." in name else (name.upper(), "", "")
        tail = f"~{number}"
        short = _NOT_SHORT.sub("", stem)[: 8 - len(tail)] + tail
        yield name, f"{short:8}{_NOT_SHORT.sub('', extension)[:3]:3}".encode()


def count(name: str) -> int:
    """Entries that `name` needs."""
    return 1 - (-len(name) // _UNITS)


def named(
    name: str, alias: bytes, *, attributes: int, epoch: int, cluster: int, size: int = 0
) -> bytes:
    """All entries of a file or directory, its long name's first."""
    return _long(name, alias) + short(
        alias, attributes=attributes, epoch=epoch, cluster=cluster, size=size
    )


def short(alias: bytes, *, attributes: int, epoch: int, cluster: int = 0, size: int = 0) -> bytes:
    """ "FAT 32 Byte Directory Entry Structure"."""
    at = datetime.fromtimestamp(max(epoch, _BEGINNING), UTC)
    date = (at.year - 1980) << 9 | at.month << 5 | at.day
    time = at.hour << 11 | at.minute << 5 | at.second // 2
    numbers = (attributes, 0, 0, time, date, date, 0, time, date, cluster, size)
    return alias + struct.pack("<BBBHHHHHHHI", *numbers)


def _long(name: str, alias: bytes) -> bytes:
    """ "FAT Long Directory Entries": the end of the name comes first."""
    checksum = _checksum(alias)
    parts = [name[at : at + _UNITS] for at in range(0, len(name), _UNITS)]
    entries = [_long_entry(number, part, checksum) for number, part in enumerate(parts, 1)]
    entries[-1] = bytes((entries[-1][0] | _LAST_LONG,)) + entries[-1][1:]
    return b"".join(reversed(entries))


def _long_entry(number: int, part: str, checksum: int) -> bytes:
    units = part.encode("utf-16-le")
    if len(part) < _UNITS:
        units = (units + b"\0\0").ljust(2 * _UNITS, b"\xff")
    head = bytes((number,)) + units[:10] + bytes((_LONG_NAME, 0, checksum))
    return head + units[10:22] + b"\0\0" + units[22:]


def _checksum(alias: bytes) -> int:
    value = 0
    for byte in alias:
        value = ((value << 7 & 0x80) + (value >> 1) + byte) & 0xFF
    return value
