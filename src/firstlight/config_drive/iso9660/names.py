"""What an entry is called in each of the two hierarchies of one disc, as genisoimage calls it."""

import re
from collections.abc import Iterable
from itertools import chain, count

_OTHER = re.compile(r"[^A-Za-z0-9_.]")
_LONGEST = 28  # with ".;1" §7.5.1's 31 characters


def primary(names: Iterable[str]) -> dict[str, bytes]:
    """Identifiers for readers that know neither Rock Ridge nor Joliet.

    Lower case and more than one dot are kept, as Nova has genisoimage keep them; other characters
    are underscores. A name that is too long, not ASCII or no longer the only one gets a number.
    """
    identifiers: dict[str, str] = {}
    known: set[str] = set()
    numbers = (f"_{number:06}" for number in count(1))
    for name in sorted(names):
        kept = [_OTHER.sub("_", name)] if name.isascii() and len(name) <= _LONGEST else []
        new = (word for word in chain(kept, numbers) if word.lower() not in known)
        identifiers[name] = next(new)
        known.add(identifiers[name].lower())
    return {name: identifier.encode() for name, identifier in identifiers.items()}


def primary_file(identifier: bytes) -> bytes:
    """Of a file: with a dot and a version."""
    return identifier + (b";1" if b"." in identifier else b".;1")


def joliet(names: Iterable[str]) -> dict[str, bytes]:
    """Identifiers for Windows, and whoever else does not know Rock Ridge: UCS-2, big-endian."""
    return {name: name.encode("utf-16-be") for name in names}


def joliet_file(identifier: bytes) -> bytes:
    """Of a file: the same, without a version, which genisoimage leaves out."""
    return identifier
