"""From the event loop's tasks to the futures that the HTTP server waits for."""

import asyncio
from collections.abc import Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

T = TypeVar("T")

_running: set[asyncio.Task[Any]] = set()  # the loop itself holds tasks weakly


def later(work: Coroutine[Any, Any, T]) -> "Future[T]":
    """Begin `work` on the running event loop; what it returns, or raises, is the future's."""
    future: Future[T] = Future()
    future.set_running_or_notify_cancel()  # whoever stops waiting does not stop the work
    task = asyncio.get_running_loop().create_task(work)
    _running.add(task)

    def settle(done: asyncio.Task[T]) -> None:
        _running.discard(done)
        if done.cancelled():
            future.set_exception(RuntimeError("the event loop ended"))
        elif (error := done.exception()) is not None:
            future.set_exception(error)
        else:
            future.set_result(done.result())

    task.add_done_callback(settle)
    return future
