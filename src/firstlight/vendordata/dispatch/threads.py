"""Threads that may be left behind.

``ThreadPoolExecutor`` waits for its threads when the interpreter ends, so one provider that never
returns would keep the service from stopping. These are daemons.
"""

from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from threading import Thread
from typing import Generic, TypeVar

T = TypeVar("T")


class Threads(Generic[T]):
    """`count` threads that take calls in order; a call is not expected to raise."""

    def __init__(self, name: str, count: int) -> None:
        self._calls: SimpleQueue[tuple[Future[T], Callable[[], T]] | None] = SimpleQueue()
        self._count = count
        for number in range(count):
            Thread(target=self._run, name=f"{name}-{number}", daemon=True).start()

    def submit(self, call: Callable[[], T]) -> Future[T]:
        """Have a thread make `call`; until one is free, the future may be cancelled."""
        future: Future[T] = Future()
        self._calls.put((future, call))
        return future

    def close(self) -> None:
        """End each thread when it is free. Nobody waits for one that never is."""
        for _ in range(self._count):
            self._calls.put(None)

    def _run(self) -> None:
        while (taken := self._calls.get()) is not None:
            future, call = taken
            if future.set_running_or_notify_cancel():
                try:
                    future.set_result(call())
                except BaseException as error:  # noqa: BLE001  (the caller's to handle)
                    future.set_exception(error)
