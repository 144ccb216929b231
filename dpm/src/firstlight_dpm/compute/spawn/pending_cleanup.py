"""What stayed on the HMC when it should have gone: tried again, until it has.

Nova asks once. If the HMC is away just then, there stays a partition of a server that came to be
elsewhere, or nowhere, or the NIC of a port that was not attached.
"""

from collections.abc import Callable

from nova import exception
from oslo_concurrency import lockutils
from oslo_log import log as logging

from firstlight_dpm.errors import HmcError

LOG = logging.getLogger(__name__)


class PendingCleanup:
    """By the name of Nova's own lock for whatever it is: a server's is its UUID.

    They are remembered as long as the process lives; the next one looks for them when it starts.
    """

    def __init__(self) -> None:
        self._settling: dict[str, Callable[[], bool]] = {}

    def remember(self, lock: str, settle: Callable[[], bool]) -> None:
        """Something may stay; `settle` takes it away, and returns False if it is not time yet."""
        self._settling[lock] = settle

    def forget(self, lock: str) -> None:
        """It came to be what it should, or it has gone."""
        self._settling.pop(lock, None)

    def sweep(self) -> None:
        """Try all of them, but for those that Nova is at work on."""
        for lock in list(self._settling):
            try:
                with lockutils.lock(lock, blocking=False, do_log=False):
                    self._settle(lock)
            except lockutils.AcquireLockFailedException:
                LOG.debug("%s is being worked on", lock)

    def _settle(self, lock: str) -> None:
        settle = self._settling.get(lock)
        if settle is None:
            return
        try:
            settled = settle()
        except (HmcError, exception.NovaException) as error:
            LOG.warning("what is left of %s could not be taken away yet: %s", lock, error)
        except Exception:  # such as a conductor that is away: there is a next time
            LOG.exception("what is left of %s could not be looked at", lock)
        else:
            if settled:
                LOG.info("nothing is left of %s", lock)
                self.forget(lock)
