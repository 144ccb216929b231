"""``firstlight check``: the road of a request, walked from where the operator stands.

`step` says what a step is, `walk` tries them, `place` knows in which file an option stands. Each
service has a road: a module with ``road(conf, asked) -> list of steps``, named in :data:`ROADS`.
To add a step, write a generator of findings and put it on the road; nothing else has to change.
"""

from collections.abc import Callable, Sequence
from importlib import import_module

from oslo_config import cfg

from firstlight.check.step import Asked, Step

# What can be checked, and the module that knows its road.
ROADS = {
    "metadata": "firstlight.check.metadata",
    "vendordata": "firstlight.check.vendordata",
    "agent": "firstlight.check.agent",
    "proxy": "firstlight.check.relay",
}


def road_of(service: str) -> Callable[[cfg.ConfigOpts, Asked], Sequence[Step]]:
    """The function that lists a service's steps. Extras that only it needs are imported here."""
    road: Callable[[cfg.ConfigOpts, Asked], Sequence[Step]] = import_module(ROADS[service]).road
    return road
