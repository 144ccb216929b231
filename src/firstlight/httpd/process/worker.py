"""One process's server, on an event loop of its own."""

import asyncio
import signal
import sys
from collections.abc import Callable, Coroutine, Mapping
from contextlib import AbstractContextManager
from socket import socket
from typing import Any

import uvloop

from firstlight.httpd.process import gc_policy
from firstlight.httpd.server import Server

# How long a thread with cold work may keep the event loop from running. Python's default is 5 ms,
# a hundred times what a hot answer takes.
_SWITCH_SECONDS = 0.0001

# Makes the server of one process from its sockets; what it holds (threads, logs, connections) is
# let go when the context ends. It is called after a worker is forked, never before.
Build = Callable[[Mapping[str, socket]], AbstractContextManager[Server]]

# Is run on the event loop from its start until the server has stopped, and given what stops it.
Attend = Callable[[Callable[[], None]], Coroutine[Any, Any, None]]


def serve(
    build: Build,
    opened: Mapping[str, socket],
    attend: Attend,
    ready: Callable[[], None],
) -> None:
    """Build a server and run it in this process until it has stopped.

    `attend` shows that the event loop runs; `ready` is called once it serves.
    """

    async def main(server: Server) -> None:
        gc_policy.calm()
        sys.setswitchinterval(_SWITCH_SECONDS)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, server.stop)
        beside = [
            loop.create_task(attend(server.stop)),
            loop.create_task(gc_policy.search_when_quiet(server.counters)),
        ]
        await server.serve(ready)
        for each in beside:
            each.cancel()

    with build(opened) as server, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main(server))
