"""Host bus adapters: firmware starts Linux by one; multipathing wants the others too."""

from typing import List, NamedTuple

from ..deadline import Deadline
from ..errors import GuestError
from ..machine import Machine

_DRIVER = "/sys/bus/ccw/drivers/zfcp"
_SCAN = "/sys/module/zfcp/parameters/allow_lun_scan"
_PATIENCE = 30.0  # seconds for an adapter to come online


class Adapter(NamedTuple):
    """An adapter: its bus id, whether it was brought online now, and what went wrong."""

    bus_id: str
    changed: bool
    error: str = ""


def bring_online(machine: Machine, dry_run: bool = False) -> List[Adapter]:
    """Bring every adapter of this partition online that is not.

    Raises:
        GuestError: there is no driver for them.
    """
    if not machine.exists(_DRIVER):
        machine.run(["modprobe", "zfcp"])
    names = [name for name in machine.names(_DRIVER) if name.startswith("0.0.")]
    return [_bring_online(machine, name, dry_run) for name in names]


def _bring_online(machine: Machine, bus_id: str, dry_run: bool) -> Adapter:
    online = f"{_DRIVER}/{bus_id}/online"
    with machine.locked(f"zfcp-{bus_id}"):
        if machine.read_or(online) == "1":
            return Adapter(bus_id, changed=False)
        if dry_run:
            return Adapter(bus_id, changed=True)
        try:
            if machine.program("chzdev"):
                machine.run(["chzdev", "-e", "-a", "-y", "zfcp-host", bus_id])
            else:
                machine.write(online, "1")
            if not Deadline(_PATIENCE).until(lambda: machine.read_or(online) == "1"):
                raise GuestError(f"it is not online after {_PATIENCE:.0f} s")
        except GuestError as error:
            return Adapter(bus_id, changed=False, error=str(error))
        return Adapter(bus_id, changed=True)


def finds_luns(machine: Machine) -> bool:
    """Whether the kernel looks for LUNs by itself, as it does unless it is told not to."""
    return machine.read_or(_SCAN, "Y") in ("Y", "1")
