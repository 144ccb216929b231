"""What became of asking one provider."""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from firstlight.instance.answer import State


class Outcome(Struct, frozen=True, kw_only=True):
    """`state` is OK, EMPTY or FAILED; `value` is ``{}`` unless it is OK."""

    provider: str
    state: State
    value: Mapping[str, Any] = {}
    seconds: float = 0.0  # how long the provider took, or until it was given up
    reason: str | None = None  # for FAILED what went wrong, for EMPTY what forbids it; for people
    max_age: int | None = None  # seconds; None: may not be kept
    confidential: bool = False
    shadow: bool = False  # asked, but not to be answered
