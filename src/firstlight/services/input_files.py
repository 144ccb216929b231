"""What an operator hands in for a config drive, in files: the command line is no place for it."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from firstlight.config_drive import LIMIT, SEED_LEAST
from firstlight.documents import Additions, BareMetal, InjectedFile

T = TypeVar("T")

_SMALL = 4096  # bytes of a password or a seed


class UnreadableFile(Exception):
    """A file cannot be what it was handed in as; the message names it, and shows nothing of it."""


def additions(
    files: list[tuple[str, str]],
    admin_pass: str | None,
    metadata: str | None,
    bare_metal: str | None,
) -> Additions:
    """All of it; each argument names files, ``-`` is standard input.

    Args:
        files: the path in the guest, and the file.
        admin_pass: one line.
        metadata: a JSON object.
        bare_metal: a JSON object with Ironic's ``ports`` and ``portgroups``.

    Raises:
        UnreadableFile, ValueError: one of them cannot be used.
    """
    added = {} if metadata is None else _json(metadata, dict[str, Any])
    if admin_pass is not None:
        added["admin_pass"] = _line(admin_pass)
    return Additions(
        tuple(InjectedFile(path, _read(file)) for path, file in files),
        added,
        None if bare_metal is None else _json(bare_metal, BareMetal),
    )


def seed(name: str) -> bytes:
    """The bytes of a seed file.

    Raises:
        UnreadableFile: it is none.
    """
    content = _read(name, _SMALL)
    if len(content) < SEED_LEAST:
        raise UnreadableFile(f"{name}: a seed has at least {SEED_LEAST} bytes, all of them random")
    return content


def _line(name: str) -> str:
    text = _as(name, _read(name, _SMALL), bytes.decode, "UTF-8").removesuffix("\n")
    if not text or "\n" in text:
        raise UnreadableFile(f"{name}: one line with the password is wanted")
    return text


def _json(name: str, wanted: type[T]) -> T:
    return _as(name, _read(name), lambda text: msgspec.json.decode(text, type=wanted), "such JSON")


def _as(name: str, content: bytes, convert: Callable[[bytes], T], what: str) -> T:
    try:
        return convert(content)
    except (ValueError, RecursionError) as error:
        reason = f": {error}" if isinstance(error, msgspec.DecodeError) else ""
        raise UnreadableFile(f"{name} is not {what}{reason}") from None


def _read(name: str, limit: int = LIMIT) -> bytes:
    try:
        if name == "-":
            content = sys.stdin.buffer.read(limit + 1)
        else:
            with Path(name).open("rb") as file:
                content = file.read(limit + 1)
    except OSError as error:
        raise UnreadableFile(f"{name}: {error.strerror}") from error
    if len(content) > limit:
        raise UnreadableFile(f"{name}: more than {limit} bytes")
    return content
