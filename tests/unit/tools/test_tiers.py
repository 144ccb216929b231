"""What `make check`, `make test` and the large targets run."""

import re
import sys
from pathlib import Path

import pytest
import tiers

ROOT = Path(__file__).parents[3]
FOLDERS = sorted({path.relative_to(ROOT).parts[1] for path in ROOT.glob("tests/*/**/test_*.py")})


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_folder_is_run(folder):
    """None is left to be run by hand alone."""
    assert any(f"tests/{folder}" in tier.tests for tier in tiers.EVERY.values())


def test_each_large_one_has_a_target():
    """`make test-NAME`, which is what is told when it is left out."""
    text = (ROOT / "Makefile").read_text()
    named = set(re.findall(r"^test-(\S+):.*##", text, re.MULTILINE))
    assert named == {"large", *tiers.LARGE}


def test_what_does_not_fit_is_named(capsys, monkeypatch):
    """And what does is run, the first ones first."""
    large = {
        "slow": tiers.Tier("", minutes=20),
        "long": tiers.Tier("", minutes=50),
        "bad": tiers.Tier("", minutes=10),
    }
    ran = []
    monkeypatch.setattr(tiers, "LARGE", large)
    monkeypatch.setattr(tiers, "main", lambda names: ran.extend(names) or names == ["bad"])
    assert tiers.run_large(30) == 1
    assert ran == ["slow", "bad"]
    assert "do not fit into 30 minutes: make test-long" in capsys.readouterr().out
    assert tiers.run_large(5) == 0


def test_halves():
    """Each folder of unit tests is in one of the two halves, by its first letter."""
    ignored = {
        name: re.findall(r"\[(.-.)\]", " ".join(tiers.TIERS[name].tests))[0]
        for name in ("unit", "unit-o-z")
    }
    assert ignored == {"unit": "o-z", "unit-o-z": "a-n"}
    assert all(re.match("[a-z]", each.name) for each in ROOT.glob("tests/unit/*/test_*.py"))


LATE = """
from pathlib import Path

def test_late():
    seen = Path(__file__).with_name("seen")
    first, _ = not seen.exists(), seen.touch()
    assert not first

def test_good():
    pass
"""


def test_what_fails_once_is_named_as_unsteady(tmp_path):
    """It is run a second time, counted as passed, and not passed over in silence."""
    (tmp_path / "test_it.py").write_text(LATE)
    with (tmp_path / "out").open("w") as out:
        counts = tiers.run_pytest(Path(sys.executable), [str(tmp_path)], out)
    assert counts == tiers.Counts(passed=2, unsteady=1)
    said = (tmp_path / "out").read_text()
    assert "test_it.py::test_late\n1 passed" in said
    assert "-- unsteady: the 1 above" in said


def test_what_fails_twice_has_failed(tmp_path):
    """Also beside one that passes the second time."""
    (tmp_path / "test_it.py").write_text(LATE + "\n\ndef test_bad():\n    assert False\n")
    with (tmp_path / "out").open("w") as out:
        counts = tiers.run_pytest(Path(sys.executable), [str(tmp_path)], out)
    assert (counts.failed, counts.unsteady) == (2, 0)


def test_many_failures_are_no_bad_luck(tmp_path):
    """They are not run again."""
    (tmp_path / "test_it.py").write_text(
        "import pytest\n\n@pytest.mark.parametrize('n', range(9))\n"
        "def test_bad(n):\n    assert False\n"
    )
    with (tmp_path / "out").open("w") as out:
        counts = tiers.run_pytest(Path(sys.executable), [str(tmp_path)], out)
    assert counts == tiers.Counts(failed=9)
    assert "a second time" not in (tmp_path / "out").read_text()
