"""What a step is, and what it finds."""

from collections.abc import Callable, Iterable
from enum import StrEnum
from pathlib import Path
from typing import Union

from msgspec import Struct


class StepState(StrEnum):
    """What became of a step; a worse one is later."""

    OK = "ok"
    WARNING = "warning"
    NOT_TRIED = "not tried"
    BROKEN = "broken"


class OptionLocation(Struct, frozen=True):
    """Where the fault can be mended."""

    file: str  # empty: in no file, the option has its default
    option: str  # as people write it: ``[neutron] password``

    def __str__(self) -> str:
        return f"{self.file} {self.option}".strip() if self.file else f"{self.option} (not set)"


class Finding(Struct, frozen=True):
    """One thing that was found out, in sentences without a secret.

    Attributes:
        said: what it is.
        place: the option at fault; None: no single one is.
        remedy: what to do; empty where there is nothing to do.
    """

    verdict: StepState
    said: str
    place: OptionLocation | None = None
    remedy: str = ""


def ok(said: str) -> Finding:
    """It is as it should be."""
    return Finding(StepState.OK, said)


def warning(said: str, place: OptionLocation | None = None, *, remedy: str) -> Finding:
    """It works, and something about it should be known."""
    return Finding(StepState.WARNING, said, place, remedy)


def broken(said: str, place: OptionLocation | None = None, *, remedy: str) -> Finding:
    """It does not work; steps that need this one are not tried."""
    return Finding(StepState.BROKEN, said, place, remedy)


Look = Callable[[], Iterable[Union[Finding, "Step"]]]


class Step(Struct, frozen=True):
    """One part of the road.

    Attributes:
        name: for people; also what other steps of the same road need.
        look: finds out, on a thread of its own; a generator of findings, and of further steps that
            only turned up here. The step is as bad as its worst finding.
        needs: names of earlier steps that must not be broken.
        seconds: after which it is broken, whatever it waits for.
    """

    name: str
    look: Look
    needs: tuple[str, ...] = ()
    seconds: float = 10.0


class StepOutcome(Struct, frozen=True):
    """What became of one step."""

    name: str
    verdict: StepState
    findings: tuple[Finding, ...]
    seconds: float


class Asked(Struct, frozen=True):
    """What the operator wants to know beyond the configuration.

    Attributes:
        instance: UUID of a server to look for; None: none.
        serving: whether running services are to be asked; not before they are started.
        agent_files: configuration files of Neutron's metadata agents.
    """

    instance: str | None = None
    serving: bool = True
    agent_files: tuple[Path, ...] = ()
