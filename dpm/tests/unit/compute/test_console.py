"""The console log, from operating system messages."""

from firstlight_dpm.compute.console import text


def test_in_order():
    """Messages come in the order of their numbers, each on a line."""
    messages = [
        {"sequence-number": 2, "message-text": "second\n"},
        {"sequence-number": 1, "message-text": "first"},
    ]
    assert text(messages) == "first\nsecond\n"


def test_none():
    """A guest that said nothing has an empty log."""
    assert text([]) == ""
