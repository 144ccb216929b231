"""Merging of objects and of cloud-config."""

import logging
from typing import Any

import pytest
import yaml

from firstlight.vendordata.cloud_init.cloud_config import check, merged_text
from firstlight.vendordata.cloud_init.merging import MergeHowInvalid, merged, strategy_of


@pytest.mark.parametrize(
    ("base", "later", "result"),
    [
        ({"a": 1}, {"b": 2}, {"a": 1, "b": 2}),
        ({"a": {"x": 1}}, {"a": {"y": 2}}, {"a": {"x": 1, "y": 2}}),
        ({"a": [1]}, {"a": [2, 1]}, {"a": [1, 2, 1]}),
        ({"a": 1}, {"a": 2}, {"a": 2}),
        ({"a": [1]}, {"a": {"x": 1}}, {"a": {"x": 1}}),
        ({"a": "x"}, {"a": None}, {"a": None}),
        ({}, {}, {}),
    ],
)
def test_merged(base: dict[str, Any], later: dict[str, Any], result: dict[str, Any]) -> None:
    """Dictionaries deeply, lists appended, a later scalar wins."""
    assert merged(base, later) == result


def test_merging_changes_neither_side() -> None:
    """The result shares nothing with what was merged."""
    base, later = {"a": {"l": [1]}}, {"a": {"l": [2]}, "b": {"c": [3]}}
    result = merged(base, later)
    result["a"]["l"].append(9)
    result["b"]["c"].append(9)
    assert (base, later) == ({"a": {"l": [1]}}, {"a": {"l": [2]}, "b": {"c": [3]}})


# What cloud-init's mergers do with {"d": {"x": 1}, "l": [1, 2], "s": "old", "n": 1} and
# {"d": {"y": 2}, "l": [3], "s": "new", "n": None}.
BASE = {"d": {"x": 1}, "l": [1, 2], "s": "old", "n": 1}
LATER = {"d": {"y": 2}, "l": [3], "s": "new", "n": None}


@pytest.mark.parametrize(
    ("merge_how", "result"),
    [
        ("dict(replace)+list()+str()", LATER),
        ("dict()", {"d": {"x": 1, "y": 2}, "l": [1, 2], "s": "old", "n": 1}),
        (
            "list(append)+dict(recurse_array)+str()",
            {"d": {"x": 1, "y": 2}, "l": [1, 2, 3], "s": "old", "n": 1},
        ),
        (
            "list(prepend)+dict(no_replace,recurse_list)+str()",
            {"d": {"x": 1, "y": 2}, "l": [3, 1, 2], "s": "old", "n": 1},
        ),
        (
            "dict(recurse_str, recurse_array, allow_delete)+list(replace)+str(append)",
            {"d": {"x": 1, "y": 2}, "l": [3, 2], "s": "oldnew"},
        ),
        (
            [
                {"name": "list", "settings": ["append"]},
                {"name": "dict", "settings": ["no_replace", "recurse_list"]},
            ],
            {"d": {"x": 1, "y": 2}, "l": [1, 2, 3], "s": "old", "n": 1},
        ),
    ],
)
def test_merge_how(merge_how: Any, result: dict[str, Any]) -> None:
    """``merge_how`` means what it means to cloud-init."""
    assert merged(BASE, LATER, strategy=strategy_of(merge_how)) == result


@pytest.mark.parametrize(
    "merge_how", ["", "dict", "dict(bogus)", "set()", 3, [1], [{"name": "x"}], {"dict": []}]
)
def test_merge_how_that_nobody_knows(merge_how: Any) -> None:
    """It is refused, not guessed at."""
    with pytest.raises(MergeHowInvalid, match="merge_how"):
        strategy_of(merge_how)


def test_one_text_of_several_parts(caplog: pytest.LogCaptureFixture) -> None:
    """All parts in one cloud-config; what a later provider replaced is logged by its path."""
    caplog.set_level(logging.INFO)
    text = merged_text(
        [
            ("one", {"packages": ["jq"], "ntp": {"enabled": True}}),
            ("two", {"packages": ["curl"], "ntp": {"enabled": False}}),
        ]
    )
    assert text.startswith("#cloud-config\n")
    assert yaml.safe_load(text) == {"packages": ["jq", "curl"], "ntp": {"enabled": False}}
    assert "provider two replaced ntp.enabled" in caplog.text


def test_merge_how_stays_in_the_text() -> None:
    """cloud-init goes on with it when it merges the text with other parts."""
    text = merged_text([("one", {"a": [1]}), ("two", {"a": [2], "merge_how": "dict()"})])
    assert yaml.safe_load(text) == {"a": [1], "merge_how": "dict()"}


def test_no_parts_no_text() -> None:
    """Nothing to merge is the empty string, which cloud-init takes for nothing."""
    assert merged_text([]) == ""
    assert merged_text([("one", {})]) == ""


def test_check_says_why() -> None:
    """A cloud-config that cannot be merged is told apart before it is merged."""
    assert check({"a": 1}) is None
    assert check(["a"]) == "cloud-config is not an object"
    assert "merge_how" in str(check({"merge_how": "nonsense"}))
