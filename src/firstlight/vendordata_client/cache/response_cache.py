"""Answers of one target that are kept, the least recently used ones going first."""

from collections import OrderedDict

from msgspec import Struct

from firstlight.instance import Answer
from firstlight.vendordata_client.cache.freshness import CacheLifetime

# Python's objects for a JSON value take about three times its text, and so many bytes at least.
_OBJECTS_PER_BYTE = 3
_FIXED_SIZE = 1024


class CachedResponse(Struct, kw_only=True):
    """An answer to one question, with its dates in monotonic seconds."""

    answer: Answer
    question: bytes  # digest of what was sent: an answer to another question is none to this one
    told: CacheLifetime
    length: int  # bytes of the body it came as
    fresh_until: float
    refresh_until: float  # served meanwhile, and asked again
    stands_until: float  # in for a target that fails
    once: bool = False  # asked for in advance, not fresh by itself: the first who asks takes it

    @property
    def etag(self) -> str | None:
        """What a target can be asked with, whether it still says the same."""
        return self.told.etag if self.told.keep else None

    def is_useful(self, now: float) -> bool:
        """Whether anything can still be done with it."""
        return self.etag is not None or now < max(self.refresh_until, self.stands_until)

    @property
    def size(self) -> int:
        """Bytes it takes, roughly."""
        return _FIXED_SIZE + _OBJECTS_PER_BYTE * self.length


class ResponseCache:
    """One answer per instance, of `limit` bytes together.

    Not safe for several threads at once: its owner has a lock.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._kept: OrderedDict[str, CachedResponse] = OrderedDict()
        self.bytes = 0
        self.evicted = 0

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, uuid: str, question: bytes) -> CachedResponse | None:
        """What is kept of this instance, if it answers this very question."""
        kept = self._kept.get(uuid)
        if kept is None or kept.question != question:
            return None
        self._kept.move_to_end(uuid)
        return kept

    def look(self, uuid: str) -> CachedResponse | None:
        """What is kept of this instance, whatever it answers; it does not count as used."""
        return self._kept.get(uuid)

    def put(self, uuid: str, kept: CachedResponse) -> None:
        """Keep it, if there is room at all, in the place of what was kept of that instance."""
        self.drop(uuid)
        if kept.size > self._limit:
            self.evicted += 1
            return
        self._kept[uuid] = kept
        self.bytes += kept.size
        while self.bytes > self._limit:
            self.evicted += 1
            self.drop(next(iter(self._kept)))

    def drop(self, uuid: str) -> None:
        """Keep nothing of that instance."""
        kept = self._kept.pop(uuid, None)
        if kept is not None:
            self.bytes -= kept.size

    def outdate(self, uuid: str | None, now: float) -> None:
        """Nothing of this instance (None: of any) is fresh any more; it may still stand in."""
        some = [self._kept.get(uuid)] if uuid is not None else self._kept.values()
        for kept in some:
            if kept is not None:
                kept.fresh_until = min(kept.fresh_until, now)
                kept.refresh_until = min(kept.refresh_until, now)
