"""CONTRIBUTING shows the folders that there are, and the files that a request passes."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "CONTRIBUTING.md").read_text()
TREE = PAGE[PAGE.index("```\nsrc/firstlight/") : PAGE.index("A package imports only")]
ROAD = PAGE[PAGE.index("## The road of a request") : PAGE.index("## One test")]
NEW = PAGE[PAGE.index("## Where something new goes") :]
SRC = ROOT / "src/firstlight"
DRIVERS = ROOT / "dpm/src/firstlight_dpm"

# Data, or parts of what the line of their folder says.
INSIDE = {"cli/provider", "services/provider", "config_drive/fat", "config_drive/iso9660"}
INSIDE |= {"sources/store/migrations", "sources/store/documents", "sources/store/sql"}
INSIDE |= {"sources/nova/records", "check/steps", "vendordata/providers/static_map"}


def shown() -> set[str]:
    """The packages and modules in the tree, with the folders above them."""
    found, above = set(), ""
    for indent, name in re.findall(r"^( +)([\w/]+(?:\.py)?) ", TREE, re.MULTILINE):
        if len(indent) == 2:
            above = name
            found.add(name.rstrip("/"))
        else:
            found.add((above + name).rstrip("/"))
    return found


def test_the_tree():
    """Every package once, and no other; modules that stand beside packages, too."""
    folders = {str(each.parent.relative_to(SRC)) for each in SRC.rglob("*.py")} - {"."}
    folders -= {each for each in folders if any(f"{each}/".startswith(f"{one}/") for one in INSIDE)}
    modules = {each.name for each in SRC.glob("*.py")} - {"__init__.py"}
    assert shown() == folders | modules


@pytest.mark.parametrize("path", sorted(set(re.findall(r"`([\w/]+\.py)`", ROAD))))
def test_the_road(path):
    """Each file that a request passes is there."""
    base = DRIVERS if path.startswith(("compute/", "hmc/")) else SRC
    assert (base / path).is_file()


@pytest.mark.parametrize(
    "path", sorted(set(re.findall(r"`((?:src|docs|tests|dpm)/[\w/.-]+)`", NEW)))
)
def test_where_something_new_goes(path):
    """The folder or file is there."""
    assert (ROOT / path).exists()
