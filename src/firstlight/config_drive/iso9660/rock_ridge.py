"""Rock Ridge: POSIX names and modes, in the system use fields of directory records.

Owner and modes are those of ``genisoimage -r``: root's, readable by everybody, writable by nobody.
"""

from firstlight.config_drive.iso9660.fields import both32

_DIRECTORY, _FILE = 0o040555, 0o100444

# SUSP §5.3: system use fields begin at once. It stands first in the first record of the root.
FIRST = b"SP\x07\x01\xbe\xef\x00"

# SUSP §5.5: which extension this is. The texts for people beside the identifier may be empty.
_IDENTIFIER = b"RRIP_1991A"
EXTENSION = b"ER" + bytes((8 + len(_IDENTIFIER), 1, len(_IDENTIFIER), 0, 0, 1)) + _IDENTIFIER


def attributes(*, directories: int | None) -> bytes:
    """RRIP §4.1.1, PX; `directories` below a directory, None for a file."""
    mode, links = (_FILE, 1) if directories is None else (_DIRECTORY, 2 + directories)
    return b"PX\x24\x01" + b"".join(map(both32, (mode, links, 0, 0)))


def name(text: str) -> bytes:
    """RRIP §4.1.4, NM; the name is UTF-8, as everywhere on Linux."""
    encoded = text.encode()
    return b"NM" + bytes((5 + len(encoded), 1, 0)) + encoded
