"""Configuration files as OpenStack's services read them."""

from collections.abc import Mapping, Sequence
from pathlib import Path

Sections = Mapping[str, Mapping[str, str | Sequence[str]]]


def write(path: Path, *parts: Sections) -> Path:
    """Write the sections of all `parts`, see :func:`text`; the path is handed back."""
    path.write_text(text(*parts))
    return path


def text(*parts: Sections) -> str:
    """The sections of all `parts`, later ones over earlier.

    An option with a list is written once for each of its values, as oslo.config's multi-valued
    options are.
    """
    return "".join(_section(name, parts) for name in dict.fromkeys(_names(parts)))


def _names(parts: Sequence[Sections]) -> list[str]:
    return [name for part in parts for name in part]


def _section(name: str, parts: Sequence[Sections]) -> str:
    options = {key: value for part in parts for key, value in part.get(name, {}).items()}
    lines = [line for key, value in options.items() for line in _lines(key, value)]
    return "\n".join([f"[{name}]", *lines, ""])


def _lines(key: str, value: str | Sequence[str]) -> list[str]:
    return [f"{key} = {one}" for one in ([value] if isinstance(value, str) else value)]
