"""What the providers of one request share: look-ups, each made once, and the time that is left."""

import time
from collections.abc import Callable, Hashable, Mapping
from concurrent.futures import Future
from threading import Lock
from typing import Any, TypeVar

T = TypeVar("T")


class RequestCache:
    """Look-ups by key, for as long as one request is answered.

    `until` is when the request must be answered, in seconds of `clock`, which never goes back;
    None: whenever.
    """

    def __init__(
        self, until: float | None = None, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._until = until
        self._clock = clock
        self._lock = Lock()
        self._made: dict[Hashable, Future[Any]] = {}
        self._seconds: dict[Hashable, float] = {}

    @property
    def seconds(self) -> Mapping[Hashable, float]:
        """How long each look-up took, those it made on its way included."""
        return self._seconds

    def left(self, most: float) -> float:
        """Seconds until the request must be answered, but no more than `most`; never below 0."""
        if self._until is None:
            return most
        return max(0.0, min(most, self._until - self._clock()))

    def once(self, key: Hashable, look_up: Callable[[], T]) -> T:
        """What `look_up` returns or raises; it is called for the first who asks for `key`.

        Whoever asks meanwhile waits for the first, and everybody gets the same.
        """
        with self._lock:
            made: Future[T] | None = self._made.get(key)
            first = made is None
            if made is None:
                made = self._made[key] = Future()
        if first:
            started = self._clock()
            _settle(made, look_up)
            self._seconds[key] = self._clock() - started
        return made.result()


def _settle(future: Future[T], look_up: Callable[[], T]) -> None:
    try:
        future.set_result(look_up())
    except BaseException as error:  # noqa: BLE001  (whoever asked gets it)
        future.set_exception(error)
