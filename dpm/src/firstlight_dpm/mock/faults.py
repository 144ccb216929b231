"""Injected faults: what a test wants to go wrong, and when."""

import re
from dataclasses import dataclass
from typing import Any

from firstlight_dpm.mock.refusal import Refusal, unless

_FIELDS: dict[str, tuple[type, ...]] = {
    **dict.fromkeys(("method", "uri", "message"), (str,)),
    **dict.fromkeys(("skip", "status", "reason"), (int,)),
    **dict.fromkeys(("drop", "job"), (bool,)),
    "times": (int, type(None)),
    "delay": (int, float),
}
_LONGEST_DELAY = 600


class Dropped(Exception):
    """The connection is to be closed without an answer."""


@dataclass
class Fault:
    """What happens to requests of one kind; `times` None is until it is taken away."""

    #: Regular expressions that must match the whole method, and the whole URI.
    method: str = ".*"
    uri: str = ".*"
    #: So many that fit pass first.
    skip: int = 0
    times: int | None = None
    #: Close the connection without an answer.
    drop: bool = False
    #: Seconds to wait before anything else.
    delay: float = 0
    #: Refuse with this HTTP status, reason and message.
    status: int = 0
    reason: int = 0
    message: str = "injected"
    #: The status, reason and message belong to the job's end, not to its beginning.
    job: bool = False

    def fits(self, method: str, uri: str) -> bool:
        """Whether this fault strikes the request; counts it."""
        if self.times == 0 or not (
            re.fullmatch(self.method, method) and re.fullmatch(self.uri, uri)
        ):
            return False
        if self.skip:
            self.skip -= 1
            return False
        if self.times is not None:
            self.times -= 1
        return True

    def strike(self) -> None:
        """Drop or refuse, if that is what this fault does."""
        if self.drop:
            raise Dropped
        if self.status and not self.job:
            self.refuse()

    def refuse(self) -> None:
        """Refuse, now or at the end of a job."""
        raise Refusal(self.status, self.reason, self.message)


def fault(description: Any) -> Fault:
    """The fault that a JSON object describes; refuses what it does not know."""
    unless(isinstance(description, dict), 400, 1, "A fault is a JSON object")
    unknown = set(description) - set(_FIELDS)
    unless(not unknown, 400, 6, f"A fault has no {', '.join(sorted(map(str, unknown)))}")
    wrong = [name for name, value in description.items() if not isinstance(value, _FIELDS[name])]
    unless(not wrong, 400, 7, f"A fault's {', '.join(wrong)} is of the wrong type")
    made = Fault(**description)
    fits = 0 <= made.delay <= _LONGEST_DELAY and made.skip >= 0
    unless(
        fits, 400, 7, f"A fault waits at most {_LONGEST_DELAY} seconds, and skips no less than 0"
    )
    _check_expression("method", made.method)
    _check_expression("uri", made.uri)
    strikes = made.drop or made.delay or made.status
    unless(strikes, 400, 5, "A fault says what happens: drop, delay or status is missing")
    unless(made.status or not made.job, 400, 5, "A fault of a job says how it ends: status")
    return made


def _check_expression(name: str, expression: str) -> None:
    try:
        re.compile(expression)
    except re.error as error:
        raise Refusal(400, 7, f"A fault's {name} is no regular expression: {error}") from None


class Faults:
    """All faults, in the order they were injected."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []

    def add(self, one: Fault) -> None:
        """From now on, this may happen."""
        self._faults.append(one)

    def clear(self) -> None:
        """Nothing goes wrong any more."""
        self._faults.clear()

    def of(self, method: str, uri: str) -> list[Fault]:
        """The faults that strike this request."""
        return [one for one in self._faults if one.fits(method, uri)]

    def all(self) -> list[dict[str, Any]]:
        """What is left of them."""
        return [vars(one) for one in self._faults if one.times != 0]
