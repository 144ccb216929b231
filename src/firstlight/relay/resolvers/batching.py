"""Guests that wait for a resolver: asked about together, and about each only once at a time.

The first of them opens a batch, which is asked about when `window` has passed; whoever comes while
it is away is in the next one. So the busier the resolver is, the bigger the batches: what a list of
ports costs Neutron depends little on how many it is asked for. Only who has waited long for a batch
that does not come back is asked about beside it.
"""

import logging
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event, Lock

from firstlight.relay.contract import Guest, Resolution, Resolver, Unavailable

LOG = logging.getLogger(__name__)

_STOPPING = Unavailable("the relay is stopping")

# Called with the guest, what the resolver said, and when it began to look (the clock's seconds);
# returns what those who wait are told.
Landed = Callable[[Guest, Resolution, float], Resolution]


class _Flight:
    __slots__ = ("fresh", "future", "guest")

    def __init__(self, guest: Guest, fresh: bool) -> None:
        self.guest = guest
        self.fresh = fresh
        self.future: Future[Resolution] = Future()
        self.future.set_running_or_notify_cancel()  # many may wait for it


class ResolverBatches:
    """Questions to one resolver, which it owns.

    Args:
        resolver: asked on threads of ours about `most` guests at a time; `threads` at a time, if
            one question takes long.
        landed: see :data:`Landed`; called on those threads, before those who wait are told.
        waiting: guests that may wait; beyond them the answer is Unavailable, at once.
        window: seconds for which a batch is open at least.
        long: seconds after which who waits is asked about beside a question that is under way.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        resolver: Resolver,
        landed: Landed,
        *,
        threads: int,
        most: int,
        waiting: int,
        window: float,
        long: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._resolver = resolver
        self._landed = landed
        self._threads = threads
        self._most = most
        self._most_waiting = waiting
        self._window = window
        self._long = long
        self._clock = clock
        self._executor = ThreadPoolExecutor(threads, resolver.name)
        self._lock = Lock()
        self._asking = False  # one thread takes what there is
        self._beside = 0  # others take what that one leaves waiting
        self._closed = Event()
        self._queue: deque[_Flight] = deque()
        self._flights: dict[tuple[Guest, bool], _Flight] = {}
        self.refused = 0  # guests for whom there was no room
        self.asked = 0  # guests that the resolver was asked about

    @property
    def waiting(self) -> int:
        """Guests that are asked about or wait to be."""
        return len(self._flights)

    def ask(self, guest: Guest, *, fresh: bool) -> "Future[Resolution]":
        """What the resolver says of `guest`; `fresh`: without what it keeps itself.

        Never blocks. A question that is under way is joined; the future cannot be cancelled.
        """
        with self._lock:
            flight = self._flights.get((guest, True))
            if flight is None and not fresh:
                flight = self._flights.get((guest, False))
            return self._join(guest, fresh) if flight is None else flight.future

    def close(self) -> None:
        """End the threads once they are idle; those who wait are told Unavailable."""
        with self._lock:
            self._closed.set()
            dropped, self._queue = self._queue, deque()
        for flight in dropped:
            self._tell(flight, _STOPPING)
        self._executor.shutdown(wait=False, cancel_futures=True)

    def _join(self, guest: Guest, fresh: bool) -> "Future[Resolution]":
        flight = _Flight(guest, fresh)
        if self._closed.is_set():
            flight.future.set_result(_STOPPING)
            return flight.future
        if len(self._flights) >= self._most_waiting:
            self.refused += 1
            flight.future.set_result(Unavailable(f"{self.waiting} guests wait to be recognised"))
            return flight.future
        self._flights[guest, fresh] = flight
        self._queue.append(flight)
        if not self._asking:
            self._asking = True
            self._executor.submit(self._ask)
        elif self._beside < self._threads - 1:
            self._beside += 1
            self._executor.submit(self._ask_beside)
        return flight.future

    def _ask(self) -> None:
        time.sleep(self._window)
        while True:
            with self._lock:
                batch = self._take()
                if not batch:
                    self._asking = False
                    return
            self._settle(batch)

    def _ask_beside(self) -> None:
        while True:
            with self._lock:
                if not self._queue:
                    self._beside -= 1
                    return
                longest = self._queue[0]
            self._closed.wait(self._long)
            with self._lock:
                left = bool(self._queue) and self._queue[0] is longest
                batch = self._take() if left else ()
            if batch:
                self._settle(batch)

    def _take(self) -> Sequence[_Flight]:
        """Those who wait longest, of one kind. The lock is held."""
        batch: list[_Flight] = []
        while self._queue and len(batch) < self._most:
            if batch and self._queue[0].fresh is not batch[0].fresh:
                break
            batch.append(self._queue.popleft())
        self.asked += len(batch)
        return batch

    def _settle(self, batch: Sequence[_Flight]) -> None:
        try:
            self._resolve(batch)
        except Exception:  # the thread's one catch-all: somebody waits for each of them
            LOG.exception("the resolver %s failed", self._resolver.name)
            failed = Unavailable(f"{self._resolver.name} failed; see the log")
            for flight in batch:
                if not flight.future.done():
                    self._tell(flight, failed)

    def _resolve(self, batch: Sequence[_Flight]) -> None:
        began = self._clock()
        guests = [flight.guest for flight in batch]
        resolutions = self._resolver.resolve(guests, fresh=batch[0].fresh)
        for flight, resolution in zip(batch, resolutions, strict=True):
            self._tell(flight, self._landed(flight.guest, resolution, began))

    def _tell(self, flight: _Flight, resolution: Resolution) -> None:
        with self._lock:
            self._flights.pop((flight.guest, flight.fresh), None)
        flight.future.set_result(resolution)
