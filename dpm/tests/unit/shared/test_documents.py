"""The pages in docs/dpm say what is so."""

import re
from pathlib import Path

import pytest

from firstlight_dpm import options

PAGES = Path(__file__).resolve().parents[4] / "docs" / "dpm"
ALL = sorted(PAGES.glob("*.md"))


@pytest.mark.parametrize("page", ALL, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    """Every file that a page links exists."""
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text())
    assert [link for link in links if not (PAGES / link).exists()] == []


def test_the_first_page_has_all_others():
    """Who begins there finds everything that is not for developers."""
    linked = set(re.findall(r"\]\(([a-z0-9-]+\.md)\)", (PAGES / "README.md").read_text()))
    known = {"README.md"} | {page.name for page in ALL if page.name.startswith("behaviours-")}
    assert {page.name for page in ALL} - known <= linked


BEHAVIOURS = sorted(PAGES.glob("behaviours-*.md"))
ROOT = PAGES.parents[1]


def named(text: str) -> list[tuple[Path, str]]:
    """Tests that a text names, by file and function; the function may be missing."""
    found = re.findall(
        r"`(?:(tests/[\w/]+\.py)|(?:dpm/tests/)?((?:unit|integration|lab)/[\w/]+\.py))"
        r"(?:::(\w+))?`",
        text,
    )
    return [
        (ROOT / whole if whole else ROOT / "dpm" / "tests" / ours, name)
        for whole, ours, name in found
    ]


def has(path: Path, name: str) -> bool:
    return path.exists() and re.search(rf"^ *def {name}\(", path.read_text(), re.MULTILINE)


@pytest.mark.parametrize(
    "page", [*BEHAVIOURS, PAGES / "support-matrix.md"], ids=lambda page: page.name
)
def test_tests_that_are_named_are_there(page):
    """A behaviour is said to be tested only where it is."""
    assert named(page.read_text())
    for path, name in named(page.read_text()):
        assert has(path, name or r"test_\w+"), f"{path}::{name}"


@pytest.mark.parametrize("page", BEHAVIOURS, ids=lambda page: page.name)
def test_each_behaviour_names_a_test(page):
    """By its function, so that it is noticed when that goes; what is gone needs none."""
    lines = re.findall(r"^\|(.*)\|$", page.read_text(), re.MULTILINE)
    table = [[cell.strip() for cell in line.split("|")] for line in lines]
    told = [cells for cells in table if cells[-1] not in ("tested by", "shown by", "---")]
    assert len(told) > 10
    for what, became, tests in told:
        assert became.startswith("gone") or any(name for _, name in named(tests)), what


def rows() -> dict[str, str]:
    """Options in the tables of configure.md, and their defaults as written."""
    found = re.findall(r"^\| ((?:`\w+`(?:, )?)+) \| ([^|]+) \|", text(), re.MULTILINE)
    return {name: default for names, default in found for name in re.findall(r"`(\w+)`", names)}


def text() -> str:
    return (PAGES / "configure.md").read_text()


@pytest.mark.parametrize(
    "option", [*options.COMMON, *options.COMPUTE, *options.NETWORK], ids=lambda one: one.name
)
def test_each_option_is_documented_with_its_default(option):
    """No more and no less than there are."""
    written = rows()[option.name].strip()
    if option.default in (None, []):
        assert written in ("none", "none, needed", "empty")
    else:
        assert written == str(option.default).lower()


def test_no_option_is_documented_that_there_is_not():
    """A page must not promise what is ignored."""
    there = {one.name for one in (*options.COMMON, *options.COMPUTE, *options.NETWORK)}
    assert set(rows()) == there
