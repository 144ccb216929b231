"""Instances, shared between the processes and hosts of a service.

Each instance has a *mark* in the cache beside its record, and a record counts only while the mark
is the one it was read under. To forget an instance is to set another mark: then a record that was
there does not count, nor does one that somebody is still reading for and puts there afterwards.
"""

import hashlib
import logging
import secrets as random
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from firstlight.concurrency.throttle import ThrottledLog
from firstlight.instance import Instance
from firstlight.shared_cache.guarded_server import GuardedServer
from firstlight.shared_cache.server import LIMIT, CacheServer
from firstlight.shared_cache.signed_entry import LAYOUT, NotOurs, Seal, SignedEntry

LOG = logging.getLogger(__name__)

_AHEAD = 1.0  # seconds that another host's clock may be ahead of ours

Read = Callable[[str], Instance | None]


class SharedCache:
    """The second level. Safe to use from many threads; they may wait for a server.

    Args:
        servers: each instance has its place on one of them.
        ttl: seconds for which what was read counts, from when the reading began.
        secrets: the first signs, all are believed.
        longest_pause: seconds for which a server that does not answer is left alone, at most.
        clock: monotonic seconds.
        wall: seconds since the epoch, as other hosts count them.
    """

    def __init__(
        self,
        servers: Sequence[CacheServer],
        *,
        ttl: float,
        secrets: Sequence[str],
        longest_pause: float = 60.0,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._places = [GuardedServer(s, longest_pause=longest_pause, clock=clock) for s in servers]
        self._ttl = ttl
        self._seal = Seal(secrets)
        self._wall = wall
        self._strangers = ThrottledLog(LOG)  # any client of the cache server can cause it
        self.outcomes: Counter[str] = Counter()  # see docs/names.md

    def instance(self, uuid: str, read: Read) -> tuple[Instance | None, float]:
        """The instance, and how many seconds ago it was read; `read` is asked if nobody has it.

        Raises:
            whatever `read` raises.
        """
        place = self._place(uuid)
        found = place.get((_mark_key(uuid), _record_key(uuid)))
        if found is None:
            self.outcomes["away"] += 1
            return read(uuid), 0.0
        mark, record = found
        entry = self._counting(uuid, mark, record)
        if entry is not None:
            return entry.instance, max(0.0, self._wall() - entry.built)
        return self._read(place, uuid, _text(mark), read), 0.0

    def forget(self, uuid: str | None) -> None:
        """What anybody has read of `uuid` so far does not count any more.

        None: anything may have changed, and this process takes nothing from here until what is here
        now has expired.
        """
        if uuid is None:
            for place in self._places:
                place.shun(self._ttl)
            return
        place = self._place(uuid)
        if place.set(_mark_key(uuid), _new_mark(), self._mark_seconds):
            self.outcomes["forgotten"] += 1
            return
        # The server may come back with what it has. By then it must have expired.
        place.shun(self._ttl)
        self.outcomes["not-forgotten"] += 1

    @property
    def places(self) -> Iterable[GuardedServer]:
        """The servers, each with whether it answers."""
        return tuple(self._places)

    def close(self) -> None:
        """Close the connections."""
        for place in self._places:
            place.close()

    def _counting(self, uuid: str, mark: bytes | None, record: bytes | None) -> SignedEntry | None:
        """The record, if there is one that counts."""
        try:
            entry = self._seal.open(_record_key(uuid), record) if record is not None else None
        except NotOurs as error:
            self._strangers.warning(
                "what the shared cache has of instance %s is not used: %s", uuid, error
            )
            self.outcomes["refused"] += 1
            return None
        outcome = self._judge(entry, mark)
        self.outcomes[outcome] += 1
        return entry if outcome == "found" else None

    def _judge(self, entry: SignedEntry | None, mark: bytes | None) -> str:
        if entry is None:
            return "missed"
        if mark is None or entry.mark != _text(mark):
            return "overtaken"
        return "found" if -_AHEAD <= self._wall() - entry.built < self._ttl else "expired"

    def _read(
        self, place: GuardedServer, uuid: str, mark: str | None, read: Read
    ) -> Instance | None:
        mark = mark or place.mark(_mark_key(uuid), _new_mark(), self._mark_seconds)
        began = self._wall()
        instance = read(uuid)
        if instance is not None and mark is not None:
            self._put(place, uuid, SignedEntry(mark, began, instance))
        return instance

    def _put(self, place: GuardedServer, uuid: str, entry: SignedEntry) -> None:
        data = self._seal.close(_record_key(uuid), entry)
        kept = len(data) <= LIMIT and place.set(_record_key(uuid), data, max(1, int(self._ttl)))
        self.outcomes["put" if kept else "not-put"] += 1

    @property
    def _mark_seconds(self) -> int:
        """Longer than any record that was read under it."""
        return int(2 * self._ttl) + 60

    def _place(self, uuid: str) -> GuardedServer:
        """The same on every host, and nowhere else while it is away: it may come back as it was."""
        return max(self._places, key=lambda place: _weight(place.name, uuid))


def _weight(name: str, uuid: str) -> bytes:
    return hashlib.blake2b(f"{name} {uuid}".encode(), digest_size=8).digest()


def _record_key(uuid: str) -> str:
    return f"firstlight:{LAYOUT}:instance:{uuid}"


def _mark_key(uuid: str) -> str:
    return f"firstlight:mark:{uuid}"


def _new_mark() -> bytes:
    return random.token_hex(8).encode()


def _text(mark: bytes | None) -> str | None:
    """None for what cannot be a mark of ours."""
    return mark.decode("latin-1") if mark is not None and len(mark) <= 64 else None
