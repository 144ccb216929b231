"""What a service needs and does not own: is it there?

Whoever asks a database, Neutron or Keystone remembers whether it answered. `/readyz` and `/metrics`
read that, and :class:`Watch` asks again those that did not, so that what they say stays true while
no guest asks.
"""

from firstlight.health.dependency import Dependency, troubles
from firstlight.health.watch import Watch

__all__ = ["Dependency", "Watch", "troubles"]
