"""What a vendordata target answered for one instance."""

from enum import StrEnum
from typing import Any

from msgspec import Struct


class State(StrEnum):
    """How an answer came to be: nothing, empty and failed are three different words."""

    OK = "ok"
    EMPTY = "empty"  # the target was asked and had nothing to say
    FAILED = "failed"  # the target could not be asked, or did not answer properly
    STALE = "stale"  # an earlier answer, because the target cannot be asked now


class Answer(Struct, frozen=True, gc=False, kw_only=True):
    """`value` is any JSON value; for EMPTY and FAILED it is ``{}``, which is what guests see."""

    value: Any
    state: State
    fetched: float  # seconds since the epoch
    expires: float | None = None  # seconds since the epoch; None: may not be kept
    confidential: bool = False  # may not leave this process's memory
    reason: str | None = None  # for FAILED and STALE: what went wrong, for people
