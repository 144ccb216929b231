"""Questions about single ids that come together are asked together.

The first of them opens a batch; it is asked as soon as a thread is free, but not before `window`
has passed, and until then others join it. So the busier Neutron is, the bigger the batches.
"""

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Lock
from typing import Generic, TypeVar

from firstlight.concurrency.deadline import Deadline
from firstlight.neutron.calls import NeutronCall, crowded
from firstlight.sources.ports import NeutronUnavailable

V = TypeVar("V")
Ask = Callable[[Sequence[str], NeutronCall], Mapping[str, V]]


class _Batch(Generic[V]):
    def __init__(self) -> None:
        self.ids: dict[str, None] = {}  # in the order they came
        self.waiting = 0
        self.call: NeutronCall | None = None  # once it is under way
        self.answer: Future[Mapping[str, V]] = Future()


class BatchedLookups(Generic[V]):
    """Answers by id.

    Args:
        ask: asks for several ids at once, on a thread of ours; its answer has all of them.
        window: seconds for which a batch is open at least.
        most: ids in a batch.
        threads: batches under way at a time.
        seconds: for which one who asks waits.
    """

    def __init__(
        self, ask: Ask[V], *, window: float, most: int, threads: int, seconds: float
    ) -> None:
        self._ask = ask
        self._window = window
        self._most = most
        self._seconds = seconds
        self._threads = ThreadPoolExecutor(threads, "neutron-batch")
        self._lock = Lock()
        self._open: _Batch[V] | None = None

    def get(self, ids: Collection[str]) -> dict[str, V]:
        """The answers for these ids. Blocks.

        Raises:
            NeutronUnavailable: it took too long, or `ask` raised it.
        """
        deadline = Deadline(self._seconds)
        joined = self._join(ids)
        try:
            answers = [batch.answer.result(deadline.left()) for batch in joined]
        except TimeoutError as error:
            raise self._why(joined, deadline) from error
        finally:
            self._leave(joined)
        known = {key: value for answer in answers for key, value in answer.items()}
        return {key: known[key] for key in ids}

    def close(self) -> None:
        """End the threads once they are idle."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _why(self, joined: Collection[_Batch[V]], deadline: Deadline) -> NeutronUnavailable:
        """Of the first batch that is not answered."""
        pending = [batch for batch in joined if not batch.answer.done()] or list(joined)
        call = pending[0].call
        return crowded(deadline) if call is None else call.late()

    def _join(self, ids: Collection[str]) -> list[_Batch[V]]:
        with self._lock:
            joined = dict.fromkeys(self._enter(key) for key in ids)
            for batch in joined:
                batch.waiting += 1
        return list(joined)

    def _enter(self, key: str) -> _Batch[V]:
        batch = self._open
        if batch is None or (len(batch.ids) >= self._most and key not in batch.ids):
            batch = self._open = _Batch()
            self._threads.submit(self._run, batch)
        batch.ids[key] = None
        return batch

    def _leave(self, joined: Collection[_Batch[V]]) -> None:
        """Nobody waits any more: free the thread."""
        with self._lock:
            for batch in joined:
                batch.waiting -= 1
            forsaken = [b.call for b in joined if not b.waiting and b.call is not None]
        for call in forsaken:
            call.leash.cut()

    def _run(self, batch: _Batch[V]) -> None:
        time.sleep(self._window)
        with self._lock:
            if self._open is batch:
                self._open = None
            if not batch.waiting:  # they all gave up while it stood in the queue
                return
            batch.call = NeutronCall(self._seconds)
        try:
            batch.answer.set_result(self._ask(tuple(batch.ids), batch.call))
        except BaseException as error:  # noqa: BLE001  (it belongs to those who wait)
            batch.answer.set_exception(error)
