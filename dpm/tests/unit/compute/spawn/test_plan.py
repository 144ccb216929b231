"""A plan is done in order, and taken back in the other."""

import pytest
from nova import exception

from firstlight_dpm.compute.spawn.plan import Step, carry_out
from firstlight_dpm.errors import Refused


class Diary:
    """Steps that write down what happened."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def step(self, name: str, fails: Exception | None = None, stays: Exception | None = None):
        """A step; `fails` is raised by doing it, `stays` by undoing it."""
        return Step(name, lambda: self._note(name, fails), lambda: self._note(f"un{name}", stays))

    def _note(self, line: str, error: Exception | None) -> None:
        self.lines.append(line)
        if error:
            raise error


@pytest.fixture
def diary():
    """What happened."""
    return Diary()


def test_in_order(diary: Diary):
    """Nothing is taken back when everything went well."""
    carry_out([diary.step("a"), diary.step("b")])
    assert diary.lines == ["a", "b"]


def test_taken_back(diary: Diary):
    """The step that failed is taken back first, then those before it; none after it is done."""
    steps = [diary.step("a"), diary.step("b", fails=Refused("b", "no")), diary.step("c")]
    with pytest.raises(Refused):
        carry_out(steps)
    assert diary.lines == ["a", "b", "unb", "una"]


@pytest.mark.parametrize("error", [Refused("undoing", "no"), exception.InvalidInput(reason="no")])
def test_an_undo_fails(diary: Diary, error: Exception):
    """An undo that fails neither hides the first error nor keeps the others from being done."""
    steps = [diary.step("a"), diary.step("b", stays=error), diary.step("c", fails=KeyError("why"))]
    with pytest.raises(KeyError, match="why"):
        carry_out(steps)
    assert diary.lines == ["a", "b", "c", "unc", "unb", "una"]


def test_nothing_to_take_back(diary: Diary):
    """A step without an undo is just done."""
    with pytest.raises(KeyError):
        carry_out([Step("a", lambda: None), diary.step("b", fails=KeyError())])
    assert diary.lines == ["b", "unb"]
