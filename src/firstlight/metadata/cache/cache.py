"""What has been looked up, kept for a while: one look-up at a time, discarded when it changes.

Three laws of the design live here. *Cold work is shared*: however many ask for a key, one look-up
runs. *Nothing, empty and failed differ*: a key that nobody has is remembered, briefly; a source
that cannot be asked is an exception. *Stale beats broken*: while the source is away, what was known
is handed out with the reason, for a bounded time.
"""

import logging
from collections.abc import Callable
from concurrent.futures import Future
from threading import Lock
from typing import Generic, TypeVar

from firstlight.concurrency.workers import Workers
from firstlight.sources import SourceUnavailable

LOG = logging.getLogger(__name__)

V = TypeVar("V")

# While a source is away, each key asks for it this often.
_RETRY_SECONDS = 1.0
# A look-up that is overtaken by a change this many times in a row is answered but not kept.
_ATTEMPTS = 3


class CacheEntry(Generic[V]):
    """A value with its dates; `value` None means that nobody has that key."""

    __slots__ = ("built", "expires", "problem", "size", "used", "value")

    def __init__(
        self, value: V | None, *, built: float, expires: float, size: int, problem: str | None
    ) -> None:
        self.value = value
        self.built = built
        self.expires = expires
        self.size = size
        self.problem = problem  # why it is stale, or None
        self.used = False  # since it was last considered for eviction


class _Flight(Generic[V]):
    """A look-up under way, with everybody who waits for it."""

    __slots__ = ("dirty", "doubts", "future")

    def __init__(self) -> None:
        self.future: Future[CacheEntry[V]] = Future()
        self.future.set_running_or_notify_cancel()
        self.begin()

    def begin(self) -> None:
        """What has changed until now is seen by the look-up that follows."""
        self.dirty = False  # the key has changed since
        self.doubts: list[Callable[[V | None], bool]] = []  # each says which values have

    def overtaken(self, value: V | None) -> bool:
        """Whether a change since then concerns what was found."""
        return self.dirty or any(doubt(value) for doubt in self.doubts)


class Cache(Generic[V]):
    """Values by key.

    Args:
        look_up: finds a value on a cold thread; None if nobody has the key. Raises
            SourceUnavailable if its source cannot be asked.
        pool: where look-ups run.
        clock: monotonic seconds.
        ttl: seconds a value is kept, counted from when its look-up began; 0: not at all.
        negative_ttl: seconds for which "nobody" is remembered.
        stale_limit: seconds past its expiry for which a value may stand in for a source that is
            away; 0: never.
        size: bytes a value takes, roughly.
        limit: bytes all values together may take.
        age: seconds that have passed since a value which was just looked up was read, where
            somebody else read it.
    """

    def __init__(
        self,
        look_up: Callable[[str], V | None],
        pool: Workers,
        *,
        clock: Callable[[], float],
        ttl: float,
        negative_ttl: float,
        stale_limit: float,
        size: Callable[[V], int],
        limit: int,
        age: Callable[[V], float] | None = None,
    ) -> None:
        self._look_up = look_up
        self._age = age
        self._pool = pool
        self._clock = clock
        self._ttl = ttl
        self._negative_ttl = min(negative_ttl, ttl)
        self._stale_limit = stale_limit
        self._size = size
        self._limit = limit
        self._lock = Lock()
        self._kept: dict[str, CacheEntry[V]] = {}  # oldest first
        self._flights: dict[str, _Flight[V]] = {}
        self.bytes = 0
        self.away: str | None = None  # why the source cannot be asked, as of the last attempt
        self.looked_up = self.failed = self.stale = self.overtaken = self.evicted = 0

    def __len__(self) -> int:
        return len(self._kept)

    def peek(self, key: str) -> CacheEntry[V] | None:
        """What is known of `key` right now; None if it has to be looked up."""
        kept = self._kept.get(key)
        if kept is None or self._clock() >= kept.expires:
            return None
        kept.used = True
        return kept

    def get(self, key: str) -> "CacheEntry[V] | Future[CacheEntry[V]]":
        """What is known of `key`, or a future of it (which may raise :class:`SourceUnavailable`).

        Raises:
            firstlight.concurrency.workers.Overloaded: it is not known, and no look-up can start.
        """
        return self.peek(key) or self._cold(key)

    def forget(self, key: str | None) -> None:
        """`key` has changed (None: anything may have): look-ups that began before do not count."""
        with self._lock:
            if key is None:
                for kept in self._kept.values():
                    kept.expires = min(kept.expires, self._clock())
                for flight in self._flights.values():
                    flight.dirty = True
                return
            self._drop(key)
            if key in self._flights:
                self._flights[key].dirty = True

    def forget_where(self, concerned: Callable[[V | None], bool]) -> None:
        """Whatever value `concerned` says so of has changed, also if it is being looked up."""
        with self._lock:
            for flight in self._flights.values():
                flight.doubts.append(concerned)
            known = list(self._kept.items())
        # Nobody who is answered meanwhile has to wait for this.
        old = [(key, kept) for key, kept in known if concerned(kept.value)]
        with self._lock:
            for key, kept in old:
                if self._kept.get(key) is kept:
                    self._drop(key)

    def grown(self, key: str, extra: int) -> None:
        """The value of `key` takes `extra` bytes more than it did."""
        with self._lock:
            kept = self._kept.get(key)
            if kept is not None:
                kept.size += extra
                self.bytes += extra
                self._evict()

    def _cold(self, key: str) -> "CacheEntry[V] | Future[CacheEntry[V]]":
        with self._lock:
            flight = self._flights.get(key)
            if flight is None:
                flight = self._flights[key] = _Flight()
                try:
                    self._pool.submit(self._fly, key, flight)
                except BaseException:
                    del self._flights[key]
                    raise
            # Known to be away: no need to wait for yet another time-out to say so.
            stale = self._stand_in(key, self.away) if self.away else None
        return flight.future if stale is None else stale

    def _fly(self, key: str, flight: _Flight[V]) -> None:
        try:
            kept = self._land(key, flight)
        except BaseException as error:  # noqa: BLE001  (it belongs to whoever waits)
            with self._lock:
                self._flights.pop(key, None)
            flight.future.set_exception(error)
        else:
            flight.future.set_result(kept)

    def _land(self, key: str, flight: _Flight[V]) -> CacheEntry[V]:
        for _attempt in range(_ATTEMPTS):
            flight.begin()
            began = self._clock()
            self.looked_up += 1
            try:
                value = self._look_up(key)
            except SourceUnavailable as error:
                return self._without_source(key, str(error))
            if self.away is not None:
                LOG.info("%s is back", self.away)
                self.away = None
            if value is not None and self._age is not None:
                began -= self._age(value)
            ttl = self._ttl if value is not None else self._negative_ttl
            size = 256 + (self._size(value) if value is not None else 0)
            kept = CacheEntry(value, built=began, expires=began + ttl, size=size, problem=None)
            with self._lock:
                if not flight.overtaken(value):
                    self._keep(key, kept)
                    self._flights.pop(key, None)
                    return kept
                self.overtaken += 1
        with self._lock:
            self._flights.pop(key, None)
        return kept

    def _without_source(self, key: str, problem: str) -> CacheEntry[V]:
        if self.away is None:
            LOG.warning("%s; what is known is served, said to be stale", problem)
        with self._lock:
            self.failed += 1
            self.away = problem
            self._flights.pop(key, None)
            stale = self._stand_in(key, problem)
        if stale is None:
            raise SourceUnavailable(problem)
        return stale

    def _stand_in(self, key: str, problem: str) -> CacheEntry[V] | None:
        """What was known of `key`, marked stale; None if nothing was or it is too old."""
        old = self._kept.get(key)
        now = self._clock()
        if old is None or old.value is None or now - old.built > self._ttl + self._stale_limit:
            return None
        if self._stale_limit <= 0:
            return None
        stale = CacheEntry(
            old.value,
            built=old.built,
            expires=now + _RETRY_SECONDS,
            size=old.size,
            problem=problem,
        )
        self.stale += 1
        self._keep(key, stale)
        return stale

    def _keep(self, key: str, kept: CacheEntry[V]) -> None:
        self._drop(key)
        if kept.expires > kept.built:
            self._kept[key] = kept
            self.bytes += kept.size
            self._evict()

    def _drop(self, key: str) -> None:
        kept = self._kept.pop(key, None)
        if kept is not None:
            self.bytes -= kept.size

    def _evict(self) -> None:
        """Make room, oldest first; what was used since the last time gets a second chance."""
        while self.bytes > self._limit and len(self._kept) > 1:
            key = next(iter(self._kept))
            kept = self._kept.pop(key)
            if kept.used:
                kept.used = False
                self._kept[key] = kept
            else:
                self.evicted += 1
                self.bytes -= kept.size
