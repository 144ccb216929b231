"""docs/deployment-files.md says of every option of every tool's files what becomes of it."""

import re
from pathlib import Path

import pytest

from deployments.options import fates, tables

PAGE = Path(__file__).parents[2] / "docs" / "deployment-files.md"


@pytest.mark.parametrize(("mark", "table"), list(tables()), ids=lambda value: str(value)[:10])
def test_the_page_has_the_table(mark: str, table: str) -> None:
    """What the code does with the files' options; ``python tests/deployments/options.py`` writes
    the page anew."""
    found = re.search(rf"<!-- {mark} -->\n\n((?:\|.*\n)+)", PAGE.read_text())
    assert found is not None
    assert found[1] == table


def test_nothing_is_dropped_without_a_reason() -> None:
    """An option that is not read has a reason."""
    assert {
        key for key, fate in fates().items() if fate.what == "ignored" and not fate.why
    } == set()
