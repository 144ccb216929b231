"""What was found and done, for people and for programs."""

from typing import Any, Dict, List, NamedTuple, Sequence

from .plan import Plan
from .ports import Port, Skipped

RIGHT, CHANGED, WOULD_CHANGE, FAILED, NOT_WANTED, ABSENT = (
    "right",
    "changed",
    "would change",
    "failed",
    "not mentioned",
    "not in this machine",
)


class Outcome(NamedTuple):
    """What came of one port.

    Attributes:
        result: one of the words above.
        steps: what was, or would be, done.
        restored: after a failure: whether the port is as it was.
    """

    interface: str
    pci: str
    guid: str
    result: str
    wanted: Sequence[str] = ()
    steps: Sequence[str] = ()
    error: str = ""
    restored: bool = True


def outcome(port: Port, result: str, **more: Any) -> Outcome:
    """What came of this port."""
    return Outcome(port.interface, port.pci, port.guid, result, **more)


def steps(plan: Plan) -> List[str]:
    """A plan in words."""
    said = []
    if plan.number is not None:
        have, want = plan.number
        said.append(f"virtual functions: {have} -> {want}")
    said += [f"function {number}: GUID {setting.node}" for number, setting in plan.settings]
    if plan.bind:
        said.append(f"bind anew: {', '.join(map(str, plan.bind))}")
    return said


def as_json(origin: str, outcomes: Sequence[Outcome], skipped: Sequence[Skipped]) -> Dict[str, Any]:
    """The report as a plain value; its form is kept from release to release."""
    return {
        "origin": origin,
        "ports": [dict(each._asdict()) for each in outcomes],
        "skipped": [dict(each._asdict()) for each in skipped],
    }


def as_text(origin: str, outcomes: Sequence[Outcome], skipped: Sequence[Skipped]) -> str:
    """The report in lines."""
    lines = [f"vendor data: from the {origin}"]
    for each in outcomes:
        where = f"{each.interface} ({each.pci}), GUID {each.guid}" if each.interface else each.guid
        lines.append(f"{where}: {each.result}, {len(each.wanted)} virtual functions wanted")
        lines += [f"    {step}" for step in each.steps]
        if each.error:
            state = "as it was before" if each.restored else "LEFT HALF DONE"
            lines.append(f"    {each.error}; the port is {state}")
    lines += [f"{each.interface}: {each.reason}; left alone" for each in skipped]
    return "\n".join(lines)
