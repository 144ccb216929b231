"""One request to the HMC, and where its parts of the API are registered."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from firstlight_dpm.mock.faults import Fault
from firstlight_dpm.mock.refusal import unless

Body = dict[str, Any]
#: What the HMC carries out: given the console, the request, and the ids in its URI.
Operation = Callable[..., Any]
Operations = tuple[tuple[str, str, Operation], ...]

_MAX_NAME = 64
_MAX_DESCRIPTION = 1024


@dataclass
class Request:
    """What was asked; `uri` has no query, `body` may be changed on the way to the mock."""

    method: str
    uri: str
    query: str = ""
    body: Body = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)

    @property
    def target(self) -> str:
        """URI and query."""
        return f"{self.uri}?{self.query}" if self.query else self.uri


@dataclass
class Started:
    """An operation's answer that is a job: HTTP 202."""

    job: str


def find(operations: Operations, request: Request) -> tuple[Operation, tuple[str, ...]] | None:
    """The operation that is meant, and the ids in its URI; None if it is not among these."""
    for method, pattern, operation in operations:
        matched = re.fullmatch(pattern, request.uri)
        if matched and method == request.method:
            return operation, matched.groups()
    return None


def check_name(body: Body, others: list[Any]) -> None:
    """1 to 64 characters, and no other resource's name; and the description's length."""
    name, description = body.get("name", "_"), body.get("description", "")
    unless(isinstance(name, str) and 0 < len(name) <= _MAX_NAME, 400, 7, "name: 1 to 64 characters")
    unless(
        isinstance(description, str) and len(description) <= _MAX_DESCRIPTION,
        400,
        7,
        "description: at most 1024 characters",
    )
    taken = name in (other.properties["name"] for other in others) and "name" in body
    unless(not taken, 400, 8, f"There is one of the name {name!r} already")


def check_whole(body: Body, name: str, least: int, most: int) -> None:
    """A field, if it is given, is a whole number in the range."""
    value = body.get(name, least)
    right = isinstance(value, int) and not isinstance(value, bool) and least <= value <= most
    unless(right, 400, 7, f"{name}: a whole number from {least} to {most}")


def check_text(body: Body, name: str, form: str, meaning: str) -> None:
    """A field, if it is given, has the form of a regular expression."""
    value = body.get(name)
    right = name not in body or (isinstance(value, str) and re.fullmatch(form, value))
    unless(right, 400, 7, f"{name}: {meaning}")


def check_none_of(body: Body, names: set[str]) -> None:
    """None of the fields is given: they do not exist here, or cannot be written."""
    given = sorted(names & set(body))
    unless(not given, 400, 6, f"{', '.join(given)}: cannot be given here")
