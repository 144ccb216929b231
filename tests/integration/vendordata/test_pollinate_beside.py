"""The same questions to ours as were asked of real nova-pollinate (tools/record-pollinate)."""

import json
from collections.abc import Iterator

import pytest

from support.providers import pollinate_cases as cases
from support.providers.pollinate_service import Pollinate, start

RECORDED = json.loads(cases.ANSWERS.read_text())


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pollinate]:
    with start(tmp_path_factory.mktemp("pollinate"), cases.OPTIONS) as service:
        yield service


def test_every_case_was_recorded() -> None:
    """The answers are to these questions."""
    assert RECORDED.keys() == cases.CASES.keys()


@pytest.mark.parametrize("name", [n for n, case in cases.CASES.items() if not case.differs])
def test_the_same_answer(ours: Pollinate, name: str) -> None:
    """The real one's status; and where that is 200, what it said."""
    recorded = RECORDED[name]
    answer = cases.ask(ours.url, cases.CASES[name])
    assert answer["status"] == recorded["status"]
    if recorded["status"] == 200 and recorded["json"] is not None:
        assert answer["json"] == recorded["json"]


def test_what_differs(ours: Pollinate) -> None:
    """Only what the real one refused is answered, and as it answers the same question elsewhere."""
    for name, case in cases.CASES.items():
        if case.differs:
            assert RECORDED[name]["status"] == 415
            assert cases.ask(ours.url, case)["json"] == RECORDED["nova"]["json"]
