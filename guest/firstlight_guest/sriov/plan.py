"""What has to be done to a port; nothing, if it is right."""

from typing import List, NamedTuple, Optional, Sequence, Tuple

from ..errors import GuestError
from .ports import FOLLOW, State


class Setting(NamedTuple):
    """What one virtual function should be."""

    policy: str
    node: str
    port: str


class Plan(NamedTuple):
    """The steps, in their order.

    Attributes:
        number: from how many functions to how many; None if the number is right.
        settings: function number and what it becomes.
        bind: numbers of the functions that the driver must take anew.
    """

    number: Optional[Tuple[int, int]]
    settings: List[Tuple[int, Setting]]
    bind: List[int]

    @property
    def is_empty(self) -> bool:
        """Whether the port is right as it is."""
        return self.number is None and not self.settings and not self.bind


def settings(guids: Sequence[str]) -> List[Setting]:
    """What vendor data wants of a port's functions."""
    return [Setting(FOLLOW, guid, guid) for guid in guids]


def former(state: State) -> List[Setting]:
    """What the port has; a GUID that was never given is not given back."""
    return [Setting(each.policy, each.node, each.port) for each in state.functions]


def plan(state: State, wanted: Sequence[Setting], driver: str) -> Plan:
    """How to get from here to there.

    Raises:
        GuestError: one cannot. Nothing has been touched.
    """
    if len(wanted) > state.most:
        raise GuestError(
            f"{len(wanted)} virtual functions are wanted, but it can have {state.most}"
        )
    have = len(state.functions)
    numbers = range(len(wanted))
    if have != len(wanted):
        _check_free(state, range(have), driver)
        return Plan((have, len(wanted)), list(enumerate(wanted)), list(numbers))
    wrong = [number for number in numbers if not _is(state, number, wanted[number])]
    _check_free(state, wrong, driver)
    unbound = [number for number in numbers if not state.functions[number].driver]
    return Plan(None, [(each, wanted[each]) for each in wrong], sorted({*wrong, *unbound}))


def _is(state: State, number: int, wanted: Setting) -> bool:
    function = state.functions[number]
    same_policy = function.policy.lower() == wanted.policy.lower()
    return same_policy and (function.node, function.port) == (wanted.node, wanted.port)


def _check_free(state: State, numbers: Sequence[int], driver: str) -> None:
    """A function that was given away, to a virtual machine, is not ours to take back."""
    for number in numbers:
        other = state.functions[number].driver
        if other not in ("", driver):
            pci = state.functions[number].pci
            raise GuestError(
                f"virtual function {number} ({pci}) is in use by {other}: give it back"
            )
