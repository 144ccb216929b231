"""One thread that calls functions when their time has come."""

import heapq
import logging
import threading
import time
from collections.abc import Callable
from itertools import count

LOG = logging.getLogger(__name__)


class Timers:
    """Timers that cost a place in a queue, not a thread each.

    What is called must not block: everything that is due waits for it. The thread begins with the
    first timer, so that whoever sets none has none.

    Args:
        timer: monotonic seconds.
    """

    def __init__(self, timer: Callable[[], float] = time.monotonic) -> None:
        self._timer = timer
        self._changed = threading.Condition()
        self._queue: list[tuple[float, int, _Due]] = []
        self._numbers = count()
        self._thread: threading.Thread | None = None
        self._closed = False

    def after(self, seconds: float, call: Callable[[], None]) -> Callable[[], None]:
        """Have `call` called in so many seconds; returns what takes that back, if it is not late.

        After :meth:`close` nothing is called any more.
        """
        due = _Due(call)
        with self._changed:
            if not self._closed:
                heapq.heappush(self._queue, (self._timer() + seconds, next(self._numbers), due))
                self._start()
                self._changed.notify()
        return due.cancel

    def close(self) -> None:
        """Forget what is not due yet, and end the thread."""
        with self._changed:
            self._closed = True
            self._queue.clear()
            self._changed.notify()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join()

    def _start(self) -> None:
        if self._thread is None:
            thread = threading.Thread(target=self._run, name="alarm", daemon=True)
            thread.start()  # may fail; the next timer tries again
            self._thread = thread

    def _run(self) -> None:
        while (due := self._next()) is not None:
            try:
                due.run()
            except Exception:  # the thread's boundary: one timer must not stop all
                LOG.exception("a timer failed: a fault of Firstlight's")

    def _next(self) -> "_Due | None":
        """Wait for the next one; None: closed."""
        with self._changed:
            while not self._closed:
                left = self._queue[0][0] - self._timer() if self._queue else None
                if left is not None and left <= 0:
                    return heapq.heappop(self._queue)[2]
                self._changed.wait(left)
        return None


class _Due:
    """A call, until it is taken back."""

    __slots__ = ("_call",)

    def __init__(self, call: Callable[[], None]) -> None:
        self._call: Callable[[], None] | None = call

    def run(self) -> None:
        call, self._call = self._call, None
        if call is not None:
            call()

    def cancel(self) -> None:
        self._call = None  # and with it whatever it held, long before its time
