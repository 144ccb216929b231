"""What an entry is called in each of the two hierarchies of one disc."""

import re
from collections.abc import Iterable

_PLAIN = re.compile(r"[A-Za-z0-9_.-]{1,29}")  # with ";1", §7.5.1's 31 characters


def primary(names: Iterable[str]) -> dict[str, bytes]:
    """Identifiers for readers that know neither extension.

    Lower case and more than one dot are kept, as Nova has genisoimage keep them; a name that is too
    long or not ASCII gets a number, since such a reader could not show it anyway.
    """
    names = sorted(names)
    kept = {name: name for name in names if _PLAIN.fullmatch(name)}
    number = 0
    for name in names:
        while name not in kept:
            number += 1
            if f"_{number:06}" not in names:
                kept[name] = f"_{number:06}"
    return {name: identifier.encode() for name, identifier in kept.items()}


def joliet(names: Iterable[str]) -> dict[str, bytes]:
    """Identifiers for Windows, and whoever else does not know Rock Ridge: UCS-2, big-endian."""
    return {name: name.encode("utf-16-be") for name in names}
