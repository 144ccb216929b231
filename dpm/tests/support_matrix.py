"""docs/dpm/support-matrix.md, as the tests that compare it with the code read it."""

import re
from pathlib import Path
from typing import NamedTuple

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "dpm" / "support-matrix.md").read_text()


class Kinds(NamedTuple):
    """A row about kinds of volumes, or of networks, as Cinder and Neutron name them."""

    what: str
    now: str
    kinds: list[str]


def table(columns: str, after: str = "") -> list[list[str]]:
    """The cells of the first table that has these columns, after that text."""
    text = PAGE.partition(after)[2] if after else PAGE
    rows = text.partition(columns)[2].partition("\n\n")[0].strip().splitlines()[1:]
    return [[cell.strip() for cell in row.strip().strip("|").split("|")] for row in rows]


def kinds(section: str) -> list[Kinds]:
    """Of a section, the rows that name kinds; the others name a test."""
    rows = table("| | then | now | shown by | |", f"## {section}")
    return [
        Kinds(what, now, found)
        for what, _, now, shown, _ in rows
        if (found := re.findall(r"`(\w+)`", shown))
    ]
