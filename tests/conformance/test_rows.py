"""The checklist of rows against the conversations that claim them."""

import re

import pytest

from conformance.conversations import HERE, read_all, read_rows

ROOT = HERE.parent.parent
ROWS = read_rows()
CLAIMED = {row for conversation in read_all() for row in conversation.rows}


@pytest.mark.parametrize("row", [row for row, elsewhere in ROWS.items() if elsewhere is None])
def test_a_row_has_a_conversation(row: str) -> None:
    """Nothing on the list is forgotten."""
    assert row in CLAIMED


@pytest.mark.parametrize(
    ("row", "elsewhere"), [(row, place) for row, place in ROWS.items() if place is not None]
)
def test_a_row_tested_elsewhere_is(row: str, elsewhere: str) -> None:
    """Where the list points to a test, that test is there."""
    if elsewhere.startswith("not here: "):
        return
    path, _, function = elsewhere.partition("::")
    assert re.search(rf"^def {function}\(", (ROOT / path).read_text(), re.MULTILINE)


def test_conversations_claim_rows_that_exist() -> None:
    """A misspelt row would look like a covered one."""
    assert CLAIMED - ROWS.keys() == set()


def test_conversations_have_names_of_their_own() -> None:
    """What fails can be found."""
    names = [(one.deployment, one.says) for one in read_all()]
    assert len(names) == len(set(names))


def test_every_step_expects_something_of_the_body() -> None:
    """A status alone would let any bytes pass."""
    for conversation in read_all():
        for step in conversation.steps:
            told = (step.expected, step.matches, step.refused, step.length, step.targets_saw)
            assert step.new_each_time or any(one is not None for one in told), conversation.says
