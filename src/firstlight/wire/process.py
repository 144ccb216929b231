"""A server as a process: signals, more workers, and handing over without a lost request.

SIGTERM and SIGINT end it when what was asked is answered. SIGHUP starts the same command again,
which reads its configuration anew; when that serves, this one ends; when it fails, this one
stays. Under systemd use ``Type=notify`` and ``ExecReload=kill -HUP $MAINPID``.
"""

import asyncio
import logging
import os
import resource
import signal
from collections.abc import Mapping, MutableMapping
from socket import socket

from firstlight.wire import handover, sockets, systemd
from firstlight.wire.handover import Reload
from firstlight.wire.server import Server
from firstlight.wire.sockets import Address
from firstlight.wire.supervisor import Supervisor
from firstlight.wire.worker import Build, serve

LOG = logging.getLogger(__name__)


def run(
    build: Build,
    addresses: Mapping[str, Address],
    *,
    workers: int = 1,
    environ: MutableMapping[str, str] | None = None,
) -> int:
    """Listen on `addresses` and serve until told to stop; returns the exit code.

    Raises:
        CannotListen: an address cannot be listened on.
    """
    environ = os.environ if environ is None else environ
    opened = sockets.open_all(addresses, environ)
    allow_many_files()
    if workers > 1:
        return Supervisor(build, addresses, opened, workers, environ).run()
    return Single(build, addresses, opened, environ).run()


def allow_many_files() -> None:
    """As many open files as this user may have; the usual 1024 are fewer than our connections."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


class Single:
    """A server that is one process."""

    def __init__(
        self,
        build: Build,
        addresses: Mapping[str, Address],
        opened: Mapping[str, socket],
        environ: MutableMapping[str, str],
    ) -> None:
        self._build = build
        self._addresses = addresses
        self._opened = opened
        self._environ = environ
        self._reload = Reload(environ)
        self._handing_over: asyncio.Task[None] | None = None

    def run(self) -> int:
        """Serve until told to stop."""
        serve(self._build, self._opened, self._prepare, self._ready)
        return 0

    def _prepare(self, server: Server) -> None:
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGHUP, self._hang_up, server)
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._end, server)

    def _end(self, server: Server) -> None:
        systemd.notify("STOPPING=1", self._environ)
        server.stop()

    def _ready(self) -> None:
        handover.report_ready(self._environ)
        systemd.notify("READY=1", self._environ)

    def _hang_up(self, server: Server) -> None:
        busy = self._handing_over is not None and not self._handing_over.done()
        if busy or server.stopping:
            LOG.warning("SIGHUP while a reload or the end is under way: ignored")
            return
        self._handing_over = asyncio.create_task(self._hand_over(server))

    async def _hand_over(self, server: Server) -> None:
        successor = self._reload.begin(self._addresses, self._opened)
        if successor is None:
            return
        try:
            while (serves := successor.serves()) is None:
                await asyncio.sleep(0.02)
        except asyncio.CancelledError:  # told to stop meanwhile
            successor.abandon()
            raise
        if serves:
            self._reload.succeeded(successor.pid)
            server.stop()
        else:
            self._reload.failed()
