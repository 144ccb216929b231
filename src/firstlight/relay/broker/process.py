"""The broker as a process: its desk, its rounds, its end."""

import asyncio
import signal
import socket
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from firstlight.httpd.process.control import Control
from firstlight.relay.broker.kept_sockets import Kept
from firstlight.relay.broker.reconciler import Reconciler
from firstlight.relay.broker.server import BrokerServer


class BrokerSettings(Struct, frozen=True):
    """What the operator decides."""

    directory: Path  # of the namespaces
    kinds: frozenset[str]
    router_port: int
    users: frozenset[int]  # whose processes are served


async def serve(
    terms: BrokerSettings,
    listening: socket.socket,
    control: Control,
    inherited: Mapping[str, socket.socket],
) -> None:
    """Tend the namespaces and serve whoever comes to `listening`, until SIGTERM or SIGINT.

    What serving processes hold stays open after the end, and what the master keeps does.

    Args:
        control: by which the master is told what to keep.
        inherited: what a broker before this one had it keep.
    """
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    desk = BrokerServer(listening, terms.users)
    kept = Kept(control, inherited)
    rounds = Reconciler(
        terms.directory,
        kinds=terms.kinds,
        router_port=terms.router_port,
        tell=desk.tell,
        kept=kept,
    )
    desk.open(rounds)
    control.ready()
    attending = loop.create_task(control.attend(ended.set))
    await ended.wait()
    attending.cancel()
    kept.close()
    desk.close()  # first, so that nobody is told that what it holds is closed
    rounds.close()
