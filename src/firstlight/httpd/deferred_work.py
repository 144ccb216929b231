"""Work on the event loop that is not hot, a slice at a time, so that hot answers go between."""

import asyncio
from collections import deque
from collections.abc import Callable
from time import monotonic

# Seconds of such work in one turn of the event loop: about what two hot answers take.
_SLICE = 0.0001

Work = Callable[[], None]


class DeferredWork:
    """A queue of work; what is ready on sockets is looked after between any two slices of it.

    Fifty instances that are read at the same time would otherwise be begun, and answered, fifty in
    a row, and a hot request would wait for all of them.
    """

    def __init__(self) -> None:
        self._waiting: deque[Work] = deque()
        self._scheduled = False

    def open(self, loop: asyncio.AbstractEventLoop) -> None:
        """The loop to work on, before any work."""
        self._loop = loop

    def add(self, work: Work) -> None:
        """To be called on the event loop."""
        self._waiting.append(work)
        if not self._scheduled:
            self._scheduled = True
            self._loop.call_soon(self._work)

    def add_from_thread(self, work: Work) -> None:
        """To be called on any other thread.

        Raises:
            RuntimeError: the event loop has ended.
        """
        self._loop.call_soon_threadsafe(self.add, work)

    def _work(self) -> None:
        until = monotonic() + _SLICE
        waiting = self._waiting
        try:
            while waiting:
                waiting.popleft()()
                if monotonic() > until:
                    break
        finally:
            self._scheduled = bool(waiting)
            if waiting:
                self._loop.call_soon(self._work)
