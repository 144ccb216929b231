"""docs/dpm/behaviours-nova.md names tests that there are."""

import re
from pathlib import Path

TESTS = Path(__file__).resolve().parents[2]
PAGE = TESTS.parents[1] / "docs" / "dpm" / "behaviours-nova.md"


def test_each_test_exists():
    """Whoever follows the last column finds something."""
    named = set(re.findall(r"`((?:unit|integration|lab)/[\w/.]+)`", PAGE.read_text()))
    assert len(named) > 15
    assert [name for name in sorted(named) if not (TESTS / name).exists()] == []
