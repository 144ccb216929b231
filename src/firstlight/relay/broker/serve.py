"""The broker as a process: its desk, its rounds, its end."""

import asyncio
import signal
import socket
from collections.abc import Callable
from pathlib import Path

from msgspec import Struct

from firstlight.relay.broker.desk import Desk
from firstlight.relay.broker.rounds import Rounds


class Terms(Struct, frozen=True):
    """What the operator decides."""

    directory: Path  # of the namespaces
    kinds: frozenset[str]
    router_port: int
    users: frozenset[int]  # whose processes are served


async def serve(terms: Terms, listening: socket.socket, ready: Callable[[], None]) -> None:
    """Tend the namespaces and serve whoever comes to `listening`, until SIGTERM or SIGINT.

    What serving processes hold stays open after the end.
    """
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    desk = Desk(listening, terms.users)
    rounds = Rounds(
        terms.directory, kinds=terms.kinds, router_port=terms.router_port, tell=desk.tell
    )
    desk.open(rounds)
    ready()
    await ended.wait()
    desk.close()  # first, so that nobody is told that what it holds is closed
    rounds.close()
