"""WWPNs of a partition's ports: only such as the machine has given.

From the z14 on a port may be there before its WWPN is. Cinder would believe zeros, or nothing, and
tell the storage array so.
"""

import re
import time
from collections.abc import Callable

from firstlight_dpm.compute.boot import wwpn
from firstlight_dpm.errors import Busy, attempting

#: Seconds. Making a server goes on as soon as they are there; Nova's call must not hang for long.
PATIENCE = 5.0
_PAUSE = 0.25

_GIVEN = re.compile(r"(?=0*[1-9a-f])[0-9a-f]{16}")


def known(said: object) -> str:
    """A port's WWPN, by what the HMC says; empty as long as the machine has given none."""
    name = wwpn(str(said or ""))
    return name if _GIVEN.fullmatch(name) else ""


def given(attempt: str, read: Callable[[], list[str]], patience: float) -> list[str]:
    """What `read` returns, once there is something and none of it is empty.

    Args:
        attempt: what an error says was being attempted.
        read: asks the HMC for each port's WWPN, as `known` has it.
        patience: seconds until there must be all of them.

    Raises:
        Busy: there are not; there may be later.
    """
    late = time.monotonic() + patience
    while True:
        with attempting(attempt):
            found = read()
        if found and all(found):
            return found
        if time.monotonic() > late:
            raise Busy(attempt, "the machine has not given every port a WWPN yet")
        time.sleep(_PAUSE)
