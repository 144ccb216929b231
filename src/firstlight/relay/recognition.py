"""Who is it? Remembered for a few seconds, found out once for all who ask, never guessed.

What is wrong here hands one tenant's data to another. So nothing that is older than its time is
believed, but for one case: the resolver cannot be asked, and the namespace's neighbour table shows
that the address still belongs to the MAC of the port it belonged to.
"""

import logging
import time
from collections.abc import Callable
from concurrent.futures import Future
from threading import Lock
from typing import NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from firstlight.relay.batches import Batches
from firstlight.relay.contract import (
    Ambiguous,
    Found,
    Guest,
    Nobody,
    Resolution,
    Resolver,
    Unavailable,
)

LOG = logging.getLogger(__name__)

# Called with a guest and the MAC of its port: whether the neighbour table of the guest's namespace
# shows that MAC at that address now. From any thread; must not block.
StillThere = Callable[[Guest, str], bool]

_THREADS = 2  # one batch gathers while the other is away
_WINDOW = 0.002  # seconds; a boot's first requests come within it
_BATCH = 100
_WAITING = 10_000
# Seconds. What was looked up so lately is not looked up again, however often a guest asks for
# something that the metadata service does not have.
_JUST_NOW = 1.0


class Terms(NamedTuple):
    """For how long answers are believed, in seconds, and how many are kept."""

    found: float = 10.0
    nobody: float = 2.0
    stale: float = 86_400.0
    most: int = 100_000


class Counts(NamedTuple):
    """What happened since the start, and what there is now; for metrics."""

    found: int  # guests that are known
    nobody: int  # addresses that are known to be nobody's, or several ports'
    waiting: int
    asked: int  # guests the resolver was asked about
    refused: int  # guests for whom there was no room to wait
    stale: int  # answers that were given although their time was over


class _Known(Struct, frozen=True, gc=False):
    resolution: Resolution
    began: float
    until: float


class Recognition:
    """A resolver's answers, as long as they may be believed. Any thread may ask; nothing blocks.

    Args:
        resolver: closed with this.
        terms: how long that is.
        still_there: see :data:`StillThere`; None: nobody knows, so nothing is ever stale.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        resolver: Resolver,
        terms: Terms | None = None,
        *,
        still_there: StillThere | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._resolver = resolver
        self._terms = terms or Terms()
        self._still_there = still_there
        self._clock = clock
        # Apart, because strangers can make up any number of addresses that are nobody's.
        self._found: dict[Guest, _Known] = {}
        self._nobody: dict[Guest, _Known] = {}
        self._lock = Lock()
        self._stale = 0
        self._batches = Batches(
            resolver,
            self._landed,
            threads=_THREADS,
            most=_BATCH,
            waiting=_WAITING,
            window=_WINDOW,
            clock=clock,
        )

    def peek(self, guest: Guest) -> Resolution | None:
        """What may be said at once; None: it has to be found out."""
        known = self._found.get(guest) or self._nobody.get(guest)
        if known is None:
            return None
        now = self._clock()
        if now < known.until:
            return known.resolution
        if self._resolver.trouble() is None:
            return None
        stale = self._stale_answer(guest, known, now)
        if stale is not None:
            self._batches.ask(guest, fresh=False)  # nobody waits for it, and it is only one
        return stale

    def find(self, guest: Guest) -> "Resolution | Future[Resolution]":
        """What is known, or the future of it. The future cannot be cancelled."""
        return self.peek(guest) or self._batches.ask(guest, fresh=False)

    def again(self, guest: Guest) -> "Resolution | Future[Resolution]":
        """Find it out anew, because what is known led to an instance that is not there.

        What was looked up in the last second is as new as that.
        """
        known = self._found.get(guest) or self._nobody.get(guest)
        if known is not None and self._clock() < min(known.began + _JUST_NOW, known.until):
            return known.resolution
        return self._batches.ask(guest, fresh=True)

    def trouble(self) -> str | None:
        """Why the resolver could not be asked lately, for readiness; None: it could."""
        return self._resolver.trouble()

    @property
    def name(self) -> str:
        """The resolver's."""
        return self._resolver.name

    def counts(self) -> Counts:
        """For metrics."""
        batches = self._batches
        return Counts(
            found=len(self._found),
            nobody=len(self._nobody),
            waiting=batches.waiting,
            asked=batches.asked,
            refused=batches.refused,
            stale=self._stale,
        )

    def close(self) -> None:
        """Let go of threads and connections."""
        self._batches.close()
        self._resolver.close()

    def _landed(self, guest: Guest, resolution: Resolution, began: float) -> Resolution:
        if not isinstance(resolution, Unavailable):
            _tell(guest, resolution)
            self._keep(guest, resolution, began)
            return resolution
        known = self._found.get(guest)
        if known is None:
            return resolution
        return self._stale_answer(guest, known, self._clock()) or resolution

    def _keep(self, guest: Guest, resolution: Resolution, began: float) -> None:
        found = isinstance(resolution, Found)
        mine, other = (self._found, self._nobody) if found else (self._nobody, self._found)
        seconds = self._terms.found if found else self._terms.nobody
        with self._lock:
            known = self._found.get(guest) or self._nobody.get(guest)
            if known is not None and known.began > began:
                return  # a later look was quicker
            other.pop(guest, None)
            mine.pop(guest, None)  # so that the oldest look comes first
            if len(mine) >= self._terms.most:
                mine.pop(next(iter(mine)))
            mine[guest] = _Known(resolution, began, began + seconds)

    def _stale_answer(self, guest: Guest, known: _Known, now: float) -> Resolution | None:
        resolution, age = known.resolution, now - known.began
        if not isinstance(resolution, Found) or self._still_there is None:
            return None
        if age >= self._terms.stale or not self._still_there(guest, resolution.mac):
            return None
        self._stale += 1
        return replace(resolution, stale=int(age))


def _tell(guest: Guest, resolution: Resolution) -> None:
    """In the log, what an operator has to know when a guest gets no metadata."""
    where = guest.place
    if isinstance(resolution, Ambiguous):
        LOG.warning(
            "%s at %s %s is the address of several ports, and is served to none of them: %s",
            guest.address,
            where.via.name.lower(),
            where.id,
            ", ".join(resolution.port_ids),
        )
    elif isinstance(resolution, Nobody):
        LOG.info(
            "no instance's port has address %s at %s %s",
            guest.address,
            where.via.name.lower(),
            where.id,
        )
