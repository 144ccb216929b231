"""What was found, for people and for programs."""

import textwrap
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from msgspec import to_builtins
from rich.console import Console
from rich.text import Text

from firstlight.check.step import Finding, StepOutcome, StepState

_STYLES = {
    StepState.OK: "green",
    StepState.WARNING: "yellow",
    StepState.NOT_TRIED: "dim",
    StepState.BROKEN: "bold red",
}
_VERDICT, _NAME = 11, 26  # columns' widths
_INDENT = " " * (_VERDICT + _NAME)


def show(outcome: StepOutcome, console: Console) -> None:
    """Print one step: a line for each finding, and below it where and how to mend it."""
    name = outcome.name
    for finding in outcome.findings or (Finding(StepState.OK, ""),):
        verdict = Text(f"{finding.verdict:<{_VERDICT}}", _STYLES[finding.verdict])
        head, *rest = [*_lines(finding.said, console), *_mending(finding, console)]
        _print(console, verdict, f"{name:<{_NAME - 1}} ", head)
        for line in rest:
            _print(console, _INDENT, line)
        name = ""


def _mending(finding: Finding, console: Console) -> Iterator[str]:
    if finding.place is not None:
        yield from _lines(f"in    {finding.place}", console)
    if finding.remedy:
        yield from _lines(f"mend  {finding.remedy}", console, hang="      ")


def _lines(text: str, console: Console, hang: str = "") -> list[str]:
    """`text` in lines that fit; whole where it is not a person's terminal."""
    if not console.is_terminal:
        return [" ".join(text.split("\n"))]
    width = max(30, console.width - len(_INDENT))
    return textwrap.wrap(text, width, subsequent_indent=hang, break_on_hyphens=False) or [""]


def _print(console: Console, *parts: str | Text) -> None:
    line = Text.assemble(*parts)
    line.rstrip()
    console.print(line, soft_wrap=True)


def summary(outcomes: Iterable[StepOutcome]) -> str:
    """The last line: ``1 broken, 2 warnings, 9 ok``."""
    counted = Counter(outcome.verdict for outcome in outcomes)
    return ", ".join(
        f"{number} {verdict}{'s' if verdict is StepState.WARNING and number > 1 else ''}"
        for verdict in reversed(StepState)
        if (number := counted[verdict])
    )


def as_json(service: str, files: Sequence[str], outcomes: Sequence[StepOutcome]) -> Any:
    """The whole of it as plain values; keys are only ever added."""
    return {
        "service": service,
        "files": list(files),
        "ok": not is_broken(outcomes),
        "steps": to_builtins(outcomes),
    }


def is_broken(outcomes: Iterable[StepOutcome]) -> bool:
    """Whether the road is."""
    return any(outcome.verdict is StepState.BROKEN for outcome in outcomes)
