"""docs/dpm/getting-started.md: the files it shows, the commands, and what they print."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from cloud.ini import Sections

ROOT = Path(__file__).resolve().parents[3]
PAGE = ROOT / "docs" / "dpm" / "getting-started.md"
ANYTHING = "…"


class Shown(NamedTuple):
    """A command, and what the page says it prints."""

    line: str
    printed: str


def commands(text: str) -> list[Shown]:
    """All of the page's, in order."""
    return [shown for block in _blocks(text, "console") for shown in _shown(block)]


def service(text: str, path: str) -> list[str]:
    """How the page starts the program that reads the file `path`: its words."""
    (found,) = (words for words in map(shlex.split, _blocks(text, "sh")) if path in words)
    return found


def file(text: str, path: str) -> Sections:
    """The sections of the file that the page shows under `path`; each option has a list."""
    (found,) = (block for block in _blocks(text, "ini") if block.startswith(f"# {path}\n"))
    sections: dict[str, dict[str, list[str]]] = {}
    for line in filter(None, found.splitlines()[1:]):
        if line.startswith("["):
            options = sections.setdefault(line.strip("[]"), {})
        else:
            name, _, value = line.partition(" = ")
            options.setdefault(name, []).append(value)
    return sections


def missing(printed: str, actual: str) -> list[str]:
    """The lines of the page's table that are not in the actual one; the header must be the same.

    ``…`` in a cell stands for anything, also for more rows: those that the page does not show.
    """
    shown, there = list(_rows(printed)), list(_rows(actual))
    if shown[:1] != there[:1]:
        return [f"{shown[:1]} is {there[:1]}"]
    return [" | ".join(row) for row in shown[1:] if not any(_matches(row, one) for one in there)]


def _blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def _shown(block: str) -> Iterator[Shown]:
    for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        line, _, printed = part.partition("\n")
        yield Shown(line, printed)


def _rows(table: str) -> Iterator[tuple[str, ...]]:
    for line in table.splitlines():
        if line.startswith("|"):
            yield tuple(cell.strip() for cell in line.strip("|").split("|"))


def _matches(shown: tuple[str, ...], row: tuple[str, ...]) -> bool:
    return len(shown) == len(row) and all(map(_same, shown, row))


def _same(shown: str, cell: str) -> bool:
    return bool(re.fullmatch(re.escape(shown).replace(ANYTHING, ".*"), cell))
