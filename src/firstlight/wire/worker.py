"""One process's server, on an event loop of its own."""

import asyncio
import signal
import sys
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from socket import socket

import uvloop

from firstlight.wire import garbage
from firstlight.wire.server import Server

# How long a thread with cold work may keep the event loop from running. Python's default is 5 ms,
# a hundred times what a hot answer takes.
_SWITCH_SECONDS = 0.0001

# Makes the server of one process from its sockets; what it holds (threads, logs, connections) is
# let go when the context ends. It is called after a worker is forked, never before.
Build = Callable[[Mapping[str, socket]], AbstractContextManager[Server]]


def serve(
    build: Build,
    opened: Mapping[str, socket],
    prepare: Callable[[Server], None],
    ready: Callable[[], None],
) -> None:
    """Build a server and run it in this process until it has stopped.

    `prepare` is called on the event loop before it serves, `ready` once it does.
    """

    async def main(server: Server) -> None:
        garbage.calm()
        sys.setswitchinterval(_SWITCH_SECONDS)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, server.stop)
        prepare(server)
        searching = loop.create_task(garbage.search_when_quiet(server.counters))
        await server.serve(ready)
        searching.cancel()

    with build(opened) as server, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main(server))
