"""What a master leaves to itself when it executes new code: a file in memory, and descriptors."""

import json
import os
from collections.abc import Iterable

TYPE_CHECKING = False  # typing itself would be a megabyte
if TYPE_CHECKING:
    from typing import Any

STATE = "FIRSTLIGHT_MASTER_STATE"  # variable: the descriptor of the file
TRIAL = "FIRSTLIGHT_MASTER_TRIAL"  # variable: set where it is only tried whether the state is read
_VERSION = 1


def write(state: "dict[str, Any]") -> int:
    """A descriptor from which :func:`read` reads `state`; it does not survive exec by itself."""
    descriptor = os.memfd_create("firstlight-master")
    with os.fdopen(os.dup(descriptor), "w", encoding="utf-8", errors="surrogateescape") as file:
        json.dump({**state, "version": _VERSION}, file)
    return descriptor


def read(descriptor: int) -> "dict[str, Any]":
    """What was written; the descriptor is closed.

    Raises:
        ValueError: another version of this program has written it, or it is no such file.
    """
    os.lseek(descriptor, 0, os.SEEK_SET)
    with os.fdopen(descriptor, encoding="utf-8", errors="surrogateescape") as file:
        state: dict[str, Any] = json.load(file)
    if state.get("version") != _VERSION:
        raise ValueError(f"version {state.get('version')} of a master's state is not understood")
    return state


def survive(descriptors: Iterable[int], yes: bool) -> None:
    """Whether these descriptors are open after exec."""
    for descriptor in descriptors:
        os.set_inheritable(descriptor, yes)
