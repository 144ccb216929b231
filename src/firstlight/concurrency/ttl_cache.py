"""What was looked up, for a while: for what seldom changes, such as a project's name."""

import time
from collections import OrderedDict
from collections.abc import Callable
from threading import Lock
from typing import Generic, TypeVar

T = TypeVar("T")


class TtlCache(Generic[T]):
    """Up to `size` values by name, each for `seconds`. The oldest go first."""

    def __init__(
        self, seconds: float, *, size: int = 1024, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._seconds = seconds
        self._size = size
        self._clock = clock
        self._lock = Lock()
        self._known: OrderedDict[str, tuple[float, T]] = OrderedDict()

    def get(self, name: str, look_up: Callable[[], T]) -> T:
        """The value, from `look_up` if it is not known; what that raises is not remembered."""
        with self._lock:
            found = self._known.get(name)
        if found is not None and self._clock() < found[0]:
            return found[1]
        value = look_up()
        with self._lock:
            self._known.pop(name, None)
            self._known[name] = (self._clock() + self._seconds, value)
            while len(self._known) > self._size:
                self._known.popitem(last=False)
        return value
