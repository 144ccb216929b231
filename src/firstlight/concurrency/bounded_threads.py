"""Work that may never end, on threads that nobody has to wait for.

oslo.messaging waits for its broker as long as that is away, whatever limit it was given; a process
that is told to end must end nevertheless.
"""

from collections.abc import Callable
from concurrent.futures import Future
from threading import BoundedSemaphore, Thread
from typing import TypeVar

T = TypeVar("T")

_HANG_UP_SECONDS = 2.0


class BoundedThreads:
    """At most `threads` pieces of work at a time, each waited for `seconds` at most."""

    def __init__(self, name: str, *, threads: int, seconds: float) -> None:
        self._name = name
        self._seconds = seconds
        self._free = BoundedSemaphore(threads)

    def wait_for(self, work: Callable[[], T]) -> T:
        """What `work` returns, or raises.

        Raises:
            TimeoutError: it did not end in time, and goes on unheard; or so much work has not
                ended that there is no thread for it.
        """
        if not self._free.acquire(timeout=self._seconds):
            raise TimeoutError(f"{self._name}: earlier calls have not ended")
        future: Future[T] = Future()
        try:
            Thread(target=self._do, args=(work, future), name=self._name, daemon=True).start()
        except RuntimeError:  # the machine is out of threads
            self._free.release()
            raise TimeoutError(f"{self._name}: no thread can be started") from None
        return future.result(self._seconds)

    def _do(self, work: Callable[[], T], future: "Future[T]") -> None:
        try:
            future.set_result(work())
        except BaseException as error:  # noqa: BLE001  (it belongs to whoever waits)
            future.set_exception(error)
        finally:
            self._free.release()


def hang_up(close: Callable[[], None]) -> None:
    """Close a connection, and leave it if that takes long."""
    closing = Thread(target=close, name="hang-up", daemon=True)
    closing.start()
    closing.join(_HANG_UP_SECONDS)
