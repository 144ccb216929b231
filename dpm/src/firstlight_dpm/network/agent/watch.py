"""The HMC is watched by a thread of its own, so that Neutron never waits for it.

An HMC that is away, or slow, changes nothing of what is known: the agent goes on to report that it
is alive, and ports stay as they are.
"""

import logging
import threading
import time
from collections.abc import Callable

from firstlight_dpm.errors import HmcError
from firstlight_dpm.network.agent.nics import Nics

LOG = logging.getLogger(__name__)


class Watch:
    """Reads again and again; :meth:`known` is the last that was read.

    Args:
        read: what there is, from what is known; raises HmcError if that cannot be found out.
        interval: seconds from the end of one reading to the beginning of the next.
        leave: called by the thread that has read, after its last reading.
    """

    def __init__(
        self, read: Callable[[Nics], Nics], interval: float, leave: Callable[[], None]
    ) -> None:
        self._read = read
        self._interval = interval
        self._leave = leave
        self._known: Nics = {}
        self._ended = threading.Event()
        self._left = threading.Event()
        self._thread: threading.Thread | None = None
        self._away_since: float | None = None

    def known(self) -> Nics:
        """NICs by the UUID of their port; none before the first reading."""
        return self._known

    def start(self) -> None:
        """Begin to read, in the process that calls."""
        self._thread = threading.Thread(target=self._run, name="hmc-watch", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Read no more. A reading that is under way is not waited for."""
        self._ended.set()

    def wait(self, seconds: float) -> bool:
        """Whether it has left, after it was stopped, within so many seconds."""
        return self._left.wait(seconds)

    def look(self) -> None:
        """Read once; what cannot be read is logged, and what is known stays."""
        failure = self._failure()
        if failure is None:
            self._log_back()
        else:
            self._log_away(failure)

    def _failure(self) -> HmcError | None:
        try:
            self._known = self._read(self._known)
        except HmcError as error:
            return error
        return None

    def _run(self) -> None:
        while not self._ended.is_set():
            try:
                self.look()
            except Exception:  # the thread's boundary: if it ended, ports would go stale unseen
                LOG.exception("Reading the HMC broke; what is known stays")
            self._ended.wait(self._interval)
        self._leave()
        self._left.set()

    def _log_away(self, error: HmcError) -> None:
        if self._away_since is None:
            self._away_since = time.monotonic()
            LOG.warning("%s. Ports stay as they are until the HMC tells more", error)

    def _log_back(self) -> None:
        if self._away_since is not None:
            away = time.monotonic() - self._away_since
            self._away_since = None
            LOG.info("The HMC tells again, after %.0f s", away)
