"""Threads for cold work: a fixed number of them, and a queue that says no when it is full."""

import os
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from threading import Lock, get_native_id
from typing import ParamSpec, TypeVar

_NICE = 10  # of threads with cold work, beside the event loop's 0

P = ParamSpec("P")
T = TypeVar("T")


class Overloaded(Exception):
    """The queue is full; the caller should say so (503) rather than wait."""


class Workers:
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
        self._executor = ThreadPoolExecutor(
            threads, thread_name_prefix=name, initializer=_step_back
        )

    def submit(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> "Future[T]":
        """Have a thread do `work`.

        Raises:
            Overloaded: there is no room, or no thread can be started.
        """
        with self._lock:
            if self.taken >= self.size:
                self.refused += 1
                raise Overloaded(f"{self.name}: {self.taken} look-ups are running or waiting")
            self.taken += 1
        try:
            future = self._executor.submit(self._run, lambda: work(*args, **kwargs))
        except RuntimeError as error:  # no thread can be started; the job may run nevertheless
            raise Overloaded(f"{self.name}: {error}") from error
        future.add_done_callback(self._dropped)
        return future

    def close(self) -> None:
        """Finish what runs, drop what waits."""
        self._executor.shutdown(wait=True, cancel_futures=True)

    def _run(self, work: Callable[[], T]) -> T:
        """Do it, then let whoever waits for the processor have it before the next job.

        Linux lets a thread that runs finish its slice of about 3 ms, whatever its priority (EEVDF),
        so threads with much to do would keep the event loop from a core they share for that long.
        """
        try:
            return work()
        finally:
            self._release()
            os.sched_yield()

    def _dropped(self, future: "Future[T]") -> None:
        if future.cancelled():  # it never ran
            self._release()

    def _release(self) -> None:
        with self._lock:
            self.taken -= 1


def _step_back() -> None:
    """Let the event loop run first: what it answers is hot, and what runs here has been waiting.

    Linux keeps a priority for each thread; elsewhere the attempt fails and nothing is lost.
    """
    with suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, get_native_id(), _NICE)
