"""What `firstlight provider run` prints of answers, with secrets told apart and never shown."""

from firstlight.services.provider.output import difference, hidden


def test_secrets_are_hidden():
    """Every value has a mark; equal ones have the same, so that a difference is seen."""
    shown = hidden({"key": "hush", "same": "hush", "list": [1, {"deep": "hush"}], "other": "x"})
    assert "hush" not in str(shown)
    assert shown["key"] == shown["same"] == shown["list"][1]["deep"]
    assert shown["other"] != shown["key"]
    assert list(shown) == ["key", "same", "list", "other"]


def test_difference():
    """A line for what would change; nothing where nothing would, in whatever order it came."""
    assert difference({"a": 1, "b": 2}, {"b": 2, "a": 1}) == ""
    lines = difference({"a": 1}, {"a": 2}).splitlines()
    assert '-  "a": 1' in lines
    assert '+  "a": 2' in lines
