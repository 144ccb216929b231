"""Things that are done for each guest, but not as often as a guest can make us do them."""

from collections import OrderedDict
from collections.abc import Callable, Hashable

_MOST = 4096  # keys that are remembered


class Seldom:
    """Says yes once in `seconds` for each key.

    The oldest keys are forgotten when there are many, and are then let through early.
    """

    def __init__(self, seconds: float, clock: Callable[[], float]) -> None:
        self._seconds = seconds
        self._clock = clock
        self._since: OrderedDict[Hashable, float] = OrderedDict()

    def __call__(self, key: Hashable) -> bool:
        """Whether it is time again for `key`."""
        now = self._clock()
        since = self._since.get(key)
        if since is not None and now < since + self._seconds:
            return False
        self._since[key] = now
        self._since.move_to_end(key)
        if len(self._since) > _MOST:
            self._since.popitem(last=False)
        return True
