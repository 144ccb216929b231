"""Who is it? Remembered for a few seconds, found out once for all who ask, never guessed.

What is wrong here hands one tenant's data to another. So nothing that is older than its time is
believed, but for one case: the resolver cannot be asked, and the namespace's neighbour table shows
that the address still belongs to the MAC of the port it belonged to.
"""

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from ipaddress import IPv4Address
from threading import Lock
from typing import NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from firstlight.relay.batches import Batches
from firstlight.relay.contract import Found, Guest, Place, Resolution, Resolver, Unavailable, Via
from firstlight.relay.resolvers.guarded import Guarded

# Called with a guest and the MAC of its port: whether the neighbour table of the guest's namespace
# shows that MAC at that address now. On a thread, since it asks the kernel.
StillThere = Callable[[Guest, str], bool]

_THREADS = 2  # so that one question that hangs is not the end of all
_WINDOW = 0.002  # seconds; a boot's first requests come within it
_LONG = 0.1  # seconds; Neutron takes 10 to 30 ms for a few guests
_BATCH = 100
_WAITING = 10_000
# Seconds. What was looked up so lately is not looked up again, however often a guest asks for
# something that the metadata service does not have.
_JUST_NOW = 1.0
# Seconds for which a look into the neighbour table counts.
_VOUCHED = 1.0
# Asked about to see whether the resolver answers: no network has this id, and no guest is there.
_PROBED = Guest(
    Place(Via.NETWORK, "00000000-0000-0000-0000-000000000000"), IPv4Address("192.0.2.1")
)


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
        self._resolver = resolver = Guarded(resolver)
        self._terms = terms or Terms()
        self._still_there = still_there
        self._clock = clock
        # Apart, because strangers can make up any number of addresses that are nobody's.
        self._found: dict[Guest, _Known] = {}
        self._nobody: dict[Guest, _Known] = {}
        self._vouched: dict[Guest, _Known] = {}
        self._lock = Lock()
        self._stale = 0
        self._looking = ThreadPoolExecutor(1, "neighbours")
        self._batches = Batches(
            resolver,
            self._landed,
            threads=_THREADS,
            most=_BATCH,
            waiting=_WAITING,
            window=_WINDOW,
            long=_LONG,
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
        vouched = self._vouched.get(guest)
        if vouched is None or now >= vouched.until or self._resolver.trouble() is None:
            return None
        self._stale += 1
        return vouched.resolution

    def find(self, guest: Guest) -> "Resolution | Future[Resolution]":
        """What is known, or the future of it. The future cannot be cancelled."""
        peeked = self.peek(guest)
        if peeked is not None:
            return peeked
        asked = self._batches.ask(guest, fresh=False)
        # While it is known to be away, nobody who can be vouched for waits until it says so again.
        if self._resolver.trouble() is None or guest not in self._found:
            return self._counted(asked)
        return self._counted(self._sooner(guest, asked))

    def again(self, guest: Guest) -> "Resolution | Future[Resolution]":
        """Find it out anew, because what is known led to an instance that is not there.

        What was looked up in the last second is as new as that.
        """
        known = self._found.get(guest) or self._nobody.get(guest)
        if known is not None and self._clock() < min(known.began + _JUST_NOW, known.until):
            return known.resolution
        return self._counted(self._batches.ask(guest, fresh=True))

    def trouble(self) -> str | None:
        """Why the resolver could not be asked lately, for readiness; None: it could."""
        return self._resolver.trouble()

    def probe(self) -> None:
        """Ask the resolver now, about nobody, so that :meth:`trouble` is true while no guest asks.

        Blocks, as long as the resolver's deadline.
        """
        self._resolver.resolve([_PROBED])

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
        self._looking.shutdown(wait=False, cancel_futures=True)
        self._batches.close()
        self._resolver.close()

    def _landed(self, guest: Guest, resolution: Resolution, began: float) -> Resolution:
        if isinstance(resolution, Unavailable):
            return self._vouch(guest) or resolution
        self._keep(guest, resolution, began)
        return resolution

    def _sooner(self, guest: Guest, asked: "Future[Resolution]") -> "Future[Resolution]":
        """What the neighbour table vouches for, or else what is asked."""
        told: Future[Resolution] = Future()
        told.set_running_or_notify_cancel()

        def looked(look: "Future[Resolution | None]") -> None:
            stale = None if look.cancelled() or look.exception() else look.result()
            if stale is not None:
                told.set_result(stale)
            else:
                asked.add_done_callback(lambda done: told.set_result(done.result()))

        try:
            self._looking.submit(self._vouch, guest).add_done_callback(looked)
        except RuntimeError:  # closed meanwhile
            return asked
        return told

    def _keep(self, guest: Guest, resolution: Resolution, began: float) -> None:
        found = isinstance(resolution, Found)
        mine, other = (self._found, self._nobody) if found else (self._nobody, self._found)
        seconds = self._terms.found if found else self._terms.nobody
        with self._lock:
            known = self._found.get(guest) or self._nobody.get(guest)
            if known is not None and known.began > began:
                return  # a later look was quicker
            other.pop(guest, None)
            self._vouched.pop(guest, None)
            mine.pop(guest, None)  # so that the oldest look comes first
            if len(mine) >= self._terms.most:
                oldest = next(iter(mine))
                del mine[oldest]
                self._vouched.pop(oldest, None)
            mine[guest] = _Known(resolution, began, began + seconds)

    def _vouch(self, guest: Guest) -> Resolution | None:
        """What was known, if the neighbour table shows that it still holds. Asks the kernel."""
        known, now = self._found.get(guest), self._clock()
        if known is None or self._still_there is None:
            return None
        resolution, age = known.resolution, now - known.began
        if not isinstance(resolution, Found) or age >= self._terms.stale:
            return None
        if not self._still_there(guest, resolution.mac):
            return None
        stale = replace(resolution, stale=int(age))
        with self._lock:
            if self._found.get(guest) is known:
                self._vouched[guest] = _Known(stale, now, now + _VOUCHED)
        return stale

    def _counted(self, told: "Future[Resolution]") -> "Future[Resolution]":
        """The same; if it tells something stale, that counts."""

        def count(done: "Future[Resolution]") -> None:
            resolution = done.result()
            if isinstance(resolution, Found) and resolution.stale is not None:
                with self._lock:
                    self._stale += 1

        told.add_done_callback(count)
        return told
