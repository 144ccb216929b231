"""What becomes of an answer: kept, handed over, or replaced by what was known."""

from collections.abc import Callable

from msgspec import structs

from firstlight.instance import Answer, State
from firstlight.vendordata_client.cache.response_cache import CachedResponse, ResponseCache
from firstlight.vendordata_client.calls import reply as replies
from firstlight.vendordata_client.calls.call import CallResult
from firstlight.vendordata_client.calls.flight import SharedCall
from firstlight.vendordata_client.policy import CachePolicy

# Seconds for which an answer that may not be kept waits for the guest it was asked for in advance.
# A crawl that takes longer between its first question and its vendor data asks again.
_HAND_OVER = 10.0


class ResponseKeeper:
    """Puts answers on the shelf as their headers and the operator say.

    Not safe for several threads at once: its owner has a lock.
    """

    def __init__(
        self,
        shelf: ResponseCache,
        keeping: CachePolicy,
        *,
        clock: Callable[[], float],
        timer: Callable[[], float],
    ) -> None:
        self._shelf = shelf
        self._keeping = keeping
        self._clock = clock
        self._timer = timer

    def taken_in(self, flight: SharedCall, told: CallResult) -> Answer:
        """What those who wait get; kept as long as it may be."""
        if told.kind is not None:
            return self.without(flight.known, told.answer.reason or "failed")
        if told.unchanged and flight.known is not None:
            told = _confirmed(flight.known, told)
        now, fresh = self._timer(), self._keeping.fresh(told.told)
        left = flight.began + fresh - now
        keepable = left > 0 and not flight.dirty
        answer = structs.replace(
            told.answer,
            confidential=told.told.private,
            expires=told.answer.fetched + left if keepable else None,
        )
        if not flight.dirty:
            self._keep(flight, told, answer, now)
        return answer

    def _keep(self, flight: SharedCall, told: CallResult, answer: Answer, now: float) -> None:
        keeping = self._keeping
        fresh_until = flight.began + keeping.fresh(told.told)
        kept = CachedResponse(
            answer=answer,
            question=flight.question.digest,
            told=told.told,
            length=told.length,
            fresh_until=fresh_until,
            refresh_until=fresh_until + keeping.refreshing(told.told),
            stands_until=fresh_until + keeping.standing_in(told.told),
        )
        useful = keeping.max_ttl > 0 and kept.is_useful(now)
        if not flight.collected and fresh_until <= now:
            kept = structs.replace(kept, once=True, fresh_until=now + _HAND_OVER)
            useful = True
        if useful:
            self._shelf.put(flight.question.uuid, kept)
        else:
            self._shelf.drop(flight.question.uuid)

    def taken(self, uuid: str, known: CachedResponse) -> None:
        """Somebody has got it who wanted it; if it was only for him, it is not kept any longer."""
        if not known.once:
            return
        known.once, known.fresh_until = False, self._timer()
        if not (self._keeping.max_ttl and known.is_useful(known.fresh_until)):
            self._shelf.drop(uuid)

    def without(self, known: CachedResponse | None, why: str) -> Answer:
        """What there is without a new answer."""
        if known is None or self._timer() >= known.stands_until:
            return replies.failed(why, self._clock())
        return stale(known, why)


def stale(known: CachedResponse, why: str) -> Answer:
    """What is known, said to be older than it should be."""
    return structs.replace(known.answer, state=State.STALE, reason=why, expires=None)


def _confirmed(known: CachedResponse, told: CallResult) -> CallResult:
    """A 304: the value is the known one, as of now; what the 304 says of keeping counts."""
    answer = structs.replace(known.answer, fetched=told.answer.fetched)
    said = known.told if told.silent else told.told
    if said.etag is None:
        said = structs.replace(said, etag=known.told.etag)
    return structs.replace(told, answer=answer, told=said, length=known.length)
