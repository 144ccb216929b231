"""An HMC to test against: zhmcclient's mock, stricter, and served over HTTPS.

``serve("z13", directory)`` gives one for the length of a block; ``python -m firstlight_dpm.mock``
serves one for other processes.
"""

from firstlight_dpm.mock.machine import MACHINES, Machine
from firstlight_dpm.mock.server import Served, serve

__all__ = ["MACHINES", "Machine", "Served", "serve"]
