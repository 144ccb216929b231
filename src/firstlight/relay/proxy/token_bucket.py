"""How often a guest may ask: a bucket of tokens, and windows as Neutron's proxies count them."""

from collections import OrderedDict
from collections.abc import Callable, Hashable

from msgspec import Struct

# Guests that are remembered; who has been silent for longest is forgotten first. haproxy's tables,
# which Neutron makes one of for each network, have 10,000 entries.
_MOST = 65536


class _Level(Struct):
    tokens: float
    at: float


class TokenBucket:
    """Lets each of many ask `rate` times a second, and up to `burst` times at once.

    A guest that never asks faster costs nothing but its entry. `clock`: monotonic seconds.
    """

    def __init__(self, rate: float, burst: int, clock: Callable[[], float]) -> None:
        self._rate = rate
        self._burst = burst
        self._clock = clock
        self._levels: OrderedDict[Hashable, _Level] = OrderedDict()

    def take(self, who: Hashable) -> float:
        """Take a token; returns the seconds until there is one if there is none, else 0."""
        now = self._clock()
        level = self._levels.get(who)
        if level is None:
            level = self._levels[who] = _Level(self._burst, now)
            _forget_one(self._levels)
        self._levels.move_to_end(who)
        level.tokens = min(self._burst, level.tokens + (now - level.at) * self._rate)
        level.at = now
        if level.tokens < 1:
            return (1 - level.tokens) / self._rate
        level.tokens -= 1
        return 0.0


class _Count(Struct):
    began: float
    now: int
    before: int


class Window:
    """Counts requests as haproxy's ``http_req_rate`` does, refused ones too.

    The rate is what came in this window, and of the window before the part that a window which
    ends now would still cover.
    """

    def __init__(self, seconds: int, most: int, clock: Callable[[], float]) -> None:
        self._seconds = seconds
        self._most = most
        self._clock = clock
        self._counts: OrderedDict[Hashable, _Count] = OrderedDict()

    def over(self, who: Hashable) -> bool:
        """Count a request; whether it is one too many."""
        now = self._clock()
        count = self._counts.get(who)
        if count is None:
            count = self._counts[who] = _Count(now, 0, 0)
            _forget_one(self._counts)
        self._counts.move_to_end(who)
        self._turn(count, now)
        count.now += 1
        left = 1 - (now - count.began) / self._seconds
        return int(count.before * left) + count.now > self._most

    def _turn(self, count: _Count, now: float) -> None:
        passed = int((now - count.began) / self._seconds)
        if passed:
            count.before = count.now if passed == 1 else 0
            count.now = 0
            count.began += passed * self._seconds


def _forget_one(
    remembered: "OrderedDict[Hashable, _Level] | OrderedDict[Hashable, _Count]",
) -> None:
    if len(remembered) > _MOST:
        remembered.popitem(last=False)
