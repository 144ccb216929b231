"""Carry a plan out, and go back to what was if that fails."""

from typing import List, Sequence

from ..deadline import Deadline
from ..errors import GuestError
from ..machine import Machine
from .plan import Plan, Setting, former, plan
from .ports import FOLLOW, Port, State, has_sysfs, state

_PATIENCE = 20.0  # seconds for the kernel to make functions, or a driver to take one
_NONE = "0" * 16  # a GUID nobody gave


class RolledBack(GuestError):
    """It failed, and the port is as it was."""


class NotRolledBack(GuestError):
    """It failed, and so did going back."""


def change(machine: Machine, port: Port, before: State, steps: Plan) -> None:
    """Do it.

    Raises:
        RolledBack, NotRolledBack: a step failed.
    """
    try:
        _carry_out(machine, port, steps)
    except GuestError as failure:
        try:
            _go_back(machine, port, before)
        except GuestError as second:
            raise NotRolledBack(f"{failure}; and going back failed: {second}") from failure
        raise RolledBack(str(failure)) from failure


def _go_back(machine: Machine, port: Port, before: State) -> None:
    now = state(machine, port)
    back = plan(now, former(before), port.driver)
    known = [(n, each) for n, each in back.settings if each.node not in ("", _NONE)]
    unbound = {n for n, function in enumerate(before.functions) if not function.driver}
    bind = [n for n in back.bind if n not in unbound]
    _carry_out(machine, port, Plan(back.number, known, bind))


def _carry_out(machine: Machine, port: Port, steps: Plan) -> None:
    if steps.number is not None:
        _set_count(machine, port, *steps.number)
    for number, setting in steps.settings:
        _set_guid(machine, port, number, setting)
    if steps.bind:
        _rebind(machine, port, steps.bind)


def _set_count(machine: Machine, port: Port, have: int, want: int) -> None:
    """The kernel refuses to go from one number to another; it takes 0 from, and any after, 0."""
    name = f"{port.device}/sriov_numvfs"
    if have:
        machine.write(name, "0")
    if want:
        machine.write(name, str(want))
    names = [f"{port.device}/virtfn{number}" for number in range(want)]
    if want and not Deadline(_PATIENCE).until(lambda: all(map(machine.exists, names))):
        raise GuestError(f"not all of {want} virtual functions appeared in {_PATIENCE:.0f} s")


def _set_guid(machine: Machine, port: Port, number: int, setting: Setting) -> None:
    values = {
        "policy": setting.policy,
        "node": _coloned(setting.node),
        "port": _coloned(setting.port),
    }
    if has_sysfs(machine, port):
        for name, value in values.items():
            machine.write(f"{port.device}/sriov/{number}/{name}", value)
        return
    of_function = ["ip", "link", "set", "dev", port.interface, "vf", str(number)]
    machine.run([*of_function, "node_guid", values["node"]])
    machine.run([*of_function, "port_guid", values["port"]])
    if setting.policy == FOLLOW:
        machine.run([*of_function, "state", "auto"])


def _rebind(machine: Machine, port: Port, numbers: Sequence[int]) -> None:
    """A driver learns a GUID when it takes the function."""
    driver = f"/sys/bus/pci/drivers/{port.driver}"
    links = [f"{port.device}/virtfn{number}" for number in numbers]
    for link in links:
        if machine.link(f"{link}/driver") == port.driver:
            machine.write(f"{driver}/unbind", machine.link(link))
    for link in links:
        machine.write(f"{driver}/bind", machine.link(link))
    unbound = _without_driver(machine, links)
    if unbound:
        raise GuestError(f"{port.driver} did not take {', '.join(unbound)}")


def _without_driver(machine: Machine, links: Sequence[str]) -> List[str]:
    bound = Deadline(_PATIENCE).until(lambda: all(machine.link(f"{x}/driver") for x in links))
    return [] if bound else [machine.link(x) for x in links if not machine.link(f"{x}/driver")]


def _coloned(guid: str) -> str:
    return ":".join(guid[i : i + 2] for i in range(0, len(guid), 2))
