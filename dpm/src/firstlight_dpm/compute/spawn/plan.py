"""A plan of named steps, each with its undo.

A step that fails is undone too, because it may have done half of its work; so each undo leaves
alone what is not there.
"""

from collections.abc import Callable, Iterable
from contextlib import ExitStack
from typing import NamedTuple

from nova import exception
from oslo_log import log as logging

from firstlight_dpm.errors import HmcError

LOG = logging.getLogger(__name__)


def nothing() -> None:
    """The undo of a step whose work goes away with an earlier step's."""


class Step(NamedTuple):
    """One thing to do, and how to take it back."""

    name: str
    do: Callable[[], object]
    undo: Callable[[], object] = nothing


def carry_out(steps: Iterable[Step]) -> None:
    """Do the steps in order; if one raises, undo it and all before it, last first.

    Raises what the step raised. An undo that fails is logged, and the others still run.
    """
    with ExitStack() as undoing:
        for step in steps:
            undoing.callback(_undo, step)
            LOG.debug("step: %s", step.name)
            step.do()
        undoing.pop_all()


def _undo(step: Step) -> None:
    try:
        step.undo()
    except (HmcError, exception.NovaException):
        LOG.exception("what was done to %s could not be taken back", step.name)
