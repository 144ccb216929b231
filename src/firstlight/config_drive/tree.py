"""Files by path as a tree of directories, held within what every reader of a drive can take."""

from collections.abc import Iterable, Iterator, Mapping
from typing import TypeAlias

LIMIT = 64 * 1024 * 1024  # bytes of an image: Nova's vfat drive; Ironic takes no more either

# Joliet has 64 UCS-2 units for a name, Rock Ridge one directory record, Windows 120 for a path from
# Joliet, ISO 9660 eight levels.
NAME_UNITS, NAME_BYTES = 64, 128
PATH_UNITS, PATH_LEVELS = 120, 7
_FORBIDDEN = frozenset('"*/:;<>?\\|\x7f') | {chr(code) for code in range(32)}
_LAST = "\uffff"  # UCS-2 ends here
_SURROGATES = ("\ud800", "\udfff")

Tree: TypeAlias = "dict[str, Tree | bytes]"


class Unwritable(Exception):
    """These files cannot be a drive; the message says which and why."""


def tree(files: Mapping[str, bytes]) -> Tree:
    """Directories and files by name, in no particular order.

    Raises:
        Unwritable: a path is one that a guest might not read, or two differ by case alone.
    """
    root: Tree = {}
    for path, content in files.items():
        *directories, name = _checked(path)
        node = root
        for directory in directories:
            below = node.setdefault(directory, {})
            if isinstance(below, bytes):
                raise Unwritable(f"{path}: {directory} is a file")
            node = below
        if name in node:
            raise Unwritable(f"{path}: a directory has that name")
        node[name] = content
    for names in _every_directory(root):
        _check_distinct(names)
    return root


def _checked(path: str) -> list[str]:
    names = path.split("/")
    if len(path) > PATH_UNITS:
        raise Unwritable(f"{path[:40]}…: longer than {PATH_UNITS} characters")
    if len(names) > PATH_LEVELS:
        raise Unwritable(f"{path}: more than {PATH_LEVELS} levels deep")
    for name in names:
        reason = _fault(name)
        if reason is not None:
            raise Unwritable(f"{path!r}: a name {reason}")
    return names


def _fault(name: str) -> str | None:
    if not name:
        return "is empty"
    if any(
        _SURROGATES[0] <= character <= _SURROGATES[1] or character > _LAST for character in name
    ):
        return "has a character outside Unicode's basic plane"
    if len(name) > NAME_UNITS or len(name.encode()) > NAME_BYTES:
        return f"is longer than {NAME_UNITS} characters or {NAME_BYTES} bytes"
    if _FORBIDDEN.intersection(name):
        return "has a character that Windows forbids"
    if name.endswith((" ", ".")) or name.startswith(" "):
        return "begins or ends with a space, or ends with a dot"
    return None


def _every_directory(root: Tree) -> Iterator[Iterable[str]]:
    yield root
    for below in root.values():
        if not isinstance(below, bytes):
            yield from _every_directory(below)


def _check_distinct(names: Iterable[str]) -> None:
    known: dict[str, str] = {}
    for name in names:
        other = known.setdefault(name.upper().casefold(), name)
        if other is not name:
            raise Unwritable(f"{other!r} and {name!r} differ by case alone")
