"""Asking again what did not answer."""

import logging
import math
import threading
import time
from collections.abc import Callable, Iterable

from firstlight.health.dependency import Dependency

LOG = logging.getLogger(__name__)

INTERVAL = 5.0  # seconds; a dependency that is back is known to be within about as long


class Watch:
    """A thread that asks every dependency once, and from then on those that are in trouble.

    Those that work are left alone where the service's own questions tell when one goes. One that
    hangs holds up the others' next turn, not the service.

    Args:
        dependencies: those known at the moment; cells come and go.
        interval: seconds between two rounds.
        again: seconds after which all are asked once more; None: never.
    """

    def __init__(
        self,
        dependencies: Callable[[], Iterable[Dependency]],
        *,
        interval: float = INTERVAL,
        again: float | None = None,
    ) -> None:
        self._dependencies = dependencies
        self._interval = interval
        self._again = again
        self._away: dict[str, float] = {}  # name → since when
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, name="dependencies", daemon=True)

    def start(self) -> None:
        """Begin; the first round is now, on the thread."""
        self._thread.start()

    def close(self) -> None:
        """End after the question that is being asked, for which nobody waits."""
        self._end.set()

    def _run(self) -> None:
        due = time.monotonic()
        while not self._end.is_set():
            everybody = time.monotonic() >= due
            if self._round(everybody=everybody) and everybody:
                due = time.monotonic() + (math.inf if self._again is None else self._again)
            self._end.wait(self._interval)

    def _round(self, *, everybody: bool) -> bool:
        """Look at all; False if it could not be told which these are."""
        try:
            dependencies = list(self._dependencies())
        except Exception:  # a catch-all of the thread's: it watches as long as the service runs
            LOG.exception("what the service depends on cannot be listed")
            return False
        for dependency in dependencies:
            self._look_at(dependency, ask=everybody)
        return True

    def _look_at(self, dependency: Dependency, *, ask: bool) -> None:
        try:
            if (ask or dependency.trouble() is not None) and not self._end.is_set():
                dependency.probe()
            self._note(dependency)
        except Exception:  # and the other: the others are to be asked all the same
            if not self._end.is_set():  # what was being asked may be closed by now
                LOG.exception("%s could not be asked whether it is there", dependency.name)

    def _note(self, dependency: Dependency) -> None:
        """Say it when one goes and when it comes back, once each."""
        name, trouble, now = dependency.name, dependency.trouble(), time.monotonic()
        if trouble is not None and name not in self._away:
            self._away[name] = now
            LOG.warning("%s is away: %s", name, trouble)
        elif trouble is None and name in self._away:
            LOG.info("%s answers again after %.0f s", name, now - self._away.pop(name))
