"""Threads for cold work: a fixed number of them, and a queue that says no when it is full."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Lock
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class Overloaded(Exception):
    """The queue is full; the caller should say so (503) rather than wait."""


class Pool:
    """A thread pool whose queue is bounded.

    `waiting` is what the queue may hold beyond the threads; one job more is refused, because work
    that would start after its caller has given up is worth less than a clear answer now.
    """

    def __init__(self, name: str, *, threads: int, waiting: int) -> None:
        self.name = name
        self.size = threads + waiting
        self.taken = 0  # jobs that run or wait
        self.refused = 0  # jobs turned away since the start
        self._lock = Lock()
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix=name)

    def submit(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> "Future[T]":
        """Have a thread do `work`.

        Raises:
            Overloaded: there is no room.
        """
        with self._lock:
            if self.taken >= self.size:
                self.refused += 1
                raise Overloaded(f"{self.name}: {self.taken} look-ups are running or waiting")
            self.taken += 1
        future = self._executor.submit(work, *args, **kwargs)
        future.add_done_callback(self._release)
        return future

    def close(self) -> None:
        """Finish what runs, drop what waits."""
        self._executor.shutdown(wait=True, cancel_futures=True)

    def _release(self, _future: "Future[T]") -> None:
        with self._lock:
            self.taken -= 1
