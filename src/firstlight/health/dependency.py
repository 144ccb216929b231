"""One thing that may be away."""

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple


class Dependency(NamedTuple):
    """Something a service asks.

    Attributes:
        name: for people and as a metric's label: ``neutron``, ``cell cell1``; no secret, no URL.
        trouble: why it did not answer when it was last asked; None: it did, or was not asked.
            Asks nobody.
        probe: asks it now, in bounded time; what comes of it is `trouble`'s to say.
    """

    name: str
    trouble: Callable[[], str | None]
    probe: Callable[[], None]


def troubles(dependencies: Iterable[Dependency]) -> Mapping[str, str | None]:
    """By name, why each did not answer; None: nothing is known against it."""
    return {dependency.name: dependency.trouble() for dependency in dependencies}
