"""The disc as a whole: descriptors, path tables, directories, files, in this order."""

from collections.abc import Iterable, Iterator, Mapping

from firstlight.config_drive.image import Image
from firstlight.config_drive.iso9660 import names
from firstlight.config_drive.iso9660.fields import (
    NO_TIME,
    SECTOR,
    Extent,
    both16,
    both32,
    long_time,
    sectors,
    short_time,
)
from firstlight.config_drive.iso9660.hierarchy import Hierarchy, Naming
from firstlight.config_drive.tree import LIMIT, Unwritable, tree

_PRIMARY, _SUPPLEMENTARY, _TERMINATOR = 1, 2, 255  # §8.1.1
_FIRST_DESCRIPTOR = 16  # sector; those before it are the system area
_STANDARD = b"CD001\x01"
_PUBLISHER = "FIRSTLIGHT"

_ROCK_RIDGE = Naming(names.primary, names.primary_file, rocky=True)
_JOLIET = Naming(names.joliet, names.joliet_file, rocky=False)
_JOLIET_LEVEL_3 = b"%/E"  # UCS-2, and the longest names


def image(files: Mapping[str, bytes], *, label: str, epoch: int) -> Image:
    """A disc of these files.

    Args:
        files: content by path, ``openstack/latest/meta_data.json``.
        label: volume identifier, at most 16 characters (Joliet's limit).
        epoch: seconds since 1970 that every time on the disc is.

    Raises:
        Unwritable: a path is not one that every reader can take, or it is more than LIMIT.
    """
    root, time = tree(files), short_time(epoch)
    views = [Hierarchy(root, naming, time) for naming in (_ROCK_RIDGE, _JOLIET)]
    sector = _FIRST_DESCRIPTOR + len(views) + 1
    for view in views:
        sector = view.settle(sector)
    places, end = _settle((files[path] for path in sorted(files)), sector)
    if end * SECTOR > LIMIT:
        raise Unwritable(f"the files take {end * SECTOR} bytes of a drive; {LIMIT} is the most")
    pieces = [piece for view in views for piece in view.pieces(places)]
    pieces += enumerate(_descriptors(views, end, label, long_time(epoch)), _FIRST_DESCRIPTOR)
    pieces += [(place.sector, content) for content, place in places.items()]
    return Image(end * SECTOR, tuple((at * SECTOR, piece) for at, piece in sorted(pieces)))


def _settle(contents: Iterable[bytes], sector: int) -> tuple[dict[bytes, Extent], int]:
    """Where each content is, equal ones once, from `sector` on; the first sector after them."""
    places: dict[bytes, Extent] = {}
    for content in contents:
        if content and content not in places:
            places[content] = Extent(sector, len(content))
            sector += sectors(len(content))
    return places, sector


def _descriptors(views: list[Hierarchy], end: int, label: str, time: bytes) -> Iterator[bytes]:
    kinds = ((_PRIMARY, b""), (_SUPPLEMENTARY, _JOLIET_LEVEL_3))
    for (kind, escapes), view in zip(kinds, views, strict=True):
        yield _descriptor(kind, escapes, view, end=end, label=label, time=time)
    yield bytes((_TERMINATOR,)) + _STANDARD


def _descriptor(
    kind: int, escapes: bytes, view: Hierarchy, *, end: int, label: str, time: bytes
) -> bytes:
    """§8.4 and, with the escape sequences of Joliet's characters, §8.5."""
    encoding = "utf-16-be" if escapes else "ascii"
    little, big = view.tables

    def text(value: str, size: int) -> bytes:
        blank = " ".encode(encoding)
        count = size // len(blank)
        return value.ljust(count).encode(encoding).ljust(size, b"\0")

    return b"".join(
        (
            bytes((kind,)),
            _STANDARD,
            b"\0",
            text("", 32),  # system
            text(label, 32),
            bytes(8),
            both32(end),
            escapes.ljust(32, b"\0"),
            both16(1),  # of one volume
            both16(1),  # the first
            both16(SECTOR),
            both32(little.size),
            little.sector.to_bytes(4, "little") + bytes(4),
            big.sector.to_bytes(4, "big") + bytes(4),
            view.root,
            text("", 128),  # set
            text(_PUBLISHER, 128),
            text("", 128),  # preparer
            text("", 128),  # application
            text("", 37) * 3,  # files of copyright, abstract, bibliography
            time * 2,  # made, changed
            NO_TIME,  # expires
            time,  # is effective
            b"\x01\0",  # version of the structure
        )
    )
