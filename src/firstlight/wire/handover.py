"""A process that takes over from this one: same command, new configuration, same sockets.

The sockets are inherited rather than opened twice with SO_REUSEPORT, because a connection queued
on the old process's SO_REUSEPORT socket is lost when that is closed. Here both share one queue.
"""

import logging
import os
import signal
import sys
from collections.abc import Mapping, MutableMapping
from socket import socket
from time import CLOCK_MONOTONIC, clock_gettime_ns, monotonic

from firstlight.wire import sockets, systemd
from firstlight.wire.sockets import Address

LOG = logging.getLogger(__name__)

READY_FD = "FIRSTLIGHT_READY_FD"
_PATIENCE = 60.0  # seconds for a process to start; a large store may migrate first


class Successor:
    """The process that is to take over. It writes a byte to a pipe when it serves."""

    def __init__(
        self,
        addresses: Mapping[str, Address],
        opened: Mapping[str, socket],
        environ: Mapping[str, str],
    ) -> None:
        self._until = monotonic() + _PATIENCE
        self._pipe, writing = os.pipe()
        os.set_blocking(self._pipe, False)
        inherited = [each.fileno() for each in opened.values()] + [writing]
        try:
            self.pid = os.posix_spawn(
                sys.executable,
                # As this one was started: `python -m …` or a console script, options and all.
                [sys.executable, *sys.orig_argv[1:]],
                {
                    **environ,
                    sockets.INHERIT: sockets.describe(addresses, opened),
                    READY_FD: str(writing),
                },
                # A descriptor made a copy of itself is one that survives exec.
                file_actions=[(os.POSIX_SPAWN_DUP2, fd, fd) for fd in inherited],
                setsigmask=[],
            )
        finally:
            os.close(writing)

    def serves(self) -> bool | None:
        """Whether it has taken over; None: it is still starting. False is final: it is gone."""
        try:
            ready = os.read(self._pipe, 1) != b""
        except BlockingIOError:
            ready = False
            if monotonic() < self._until:
                return None
        if not ready:
            self.abandon()
        return ready

    def abandon(self) -> None:
        """End it, if it has not ended by itself, and remember nothing."""
        try:
            os.kill(self.pid, signal.SIGKILL)
            _, status = os.waitpid(self.pid, 0)
        except (ProcessLookupError, ChildProcessError):
            return
        code = os.waitstatus_to_exitcode(status)
        if code == -signal.SIGKILL:
            LOG.error("process %d did not get ready and was ended", self.pid)
        else:
            LOG.error("process %d ended with %d; its own messages say why", self.pid, code)


def takes_over(environ: Mapping[str, str]) -> bool:
    """Whether a process that serves waits for this one to serve in its place."""
    return READY_FD in environ


def report_ready(environ: MutableMapping[str, str]) -> None:
    """Tell the process that started this one, if it waits for it, that this one serves."""
    writing = environ.pop(READY_FD, None)
    if writing is not None:
        os.write(int(writing), b"1")
        os.close(int(writing))


class Reload:
    """One reload after another, and what the log and systemd (sd_notify(3)) are told of them."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ

    def begin(
        self, addresses: Mapping[str, Address], opened: Mapping[str, socket]
    ) -> Successor | None:
        """Start a successor; None, and this process goes on, if that cannot be done."""
        if os.getpid() == 1:
            LOG.error("process 1 cannot hand over: when it ends, its container does; restart that")
            return None
        microseconds = clock_gettime_ns(CLOCK_MONOTONIC) // 1000
        systemd.notify(f"RELOADING=1\nMONOTONIC_USEC={microseconds}", self._environ)
        try:
            return Successor(addresses, opened, self._environ)
        except OSError:
            LOG.exception("a new process cannot be started")
            self.failed()
            return None

    def succeeded(self, pid: int) -> None:
        """The successor serves, and is the service's main process from now on."""
        LOG.info("process %d has taken over", pid)
        systemd.notify(f"MAINPID={pid}\nREADY=1", self._environ)

    def failed(self) -> None:
        """There is no successor."""
        LOG.error("the new process does not serve; this one goes on as it was configured")
        systemd.notify("READY=1", self._environ)
