"""Several processes that accept from the same sockets, and the one that looks after them.

The sockets are shared, not opened once per worker with SO_REUSEPORT: what is queued on the
SO_REUSEPORT socket of a worker that dies is lost, what is queued here is another worker's.
"""

import asyncio
import logging
import os
import signal
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from socket import socket
from time import monotonic

from firstlight.wire import handover, systemd
from firstlight.wire.handover import Reload, Successor
from firstlight.wire.server import Server
from firstlight.wire.sockets import Address
from firstlight.wire.worker import Build, serve

LOG = logging.getLogger(__name__)

_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD)
_TICK = 0.05
_LONG_LIVED = 10.0  # seconds after which a death is news, not the same trouble again
_MAX_BACK_OFF = 30.0
_STOP_TIME = 30.0  # seconds for workers to end; longer than Limits.drain_time


@dataclass
class _Slot:
    """A worker's place: who is in it, since when, and when it may be filled again."""

    number: int
    pid: int = 0
    since: float = 0.0
    back_off: float = 0.0
    due: float = 0.0


class Supervisor:
    """Keeps `workers` processes serving. It has no event loop, no threads and answers nothing."""

    def __init__(
        self,
        build: Build,
        addresses: Mapping[str, Address],
        opened: Mapping[str, socket],
        workers: int,
        environ: MutableMapping[str, str],
    ) -> None:
        self._build = build
        self._addresses = addresses
        self._opened = opened
        self._environ = environ
        self._reload = Reload(environ)
        self._slots = [_Slot(number) for number in range(workers)]
        self._unready = workers
        self._stopping = False
        self._handed_over = False
        self._code = 0
        self._successor: Successor | None = None
        self._reports, self._report = os.pipe()
        os.set_blocking(self._reports, False)
        # Its other end closes when this process dies, however it dies; then the workers stop.
        self._lifeline, self._alive = os.pipe()

    def run(self) -> int:
        """Supervise until told to stop; returns 1 if a worker could not start at all."""
        signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
        try:
            while not self._stopping:
                self._fill()
                self._act_on(signal.sigtimedwait(_SIGNALS, _TICK))
                self._hear_reports()
                self._watch_successor()
            return self._stop()
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)

    def _act_on(self, told: signal.struct_siginfo | None) -> None:
        if told is None:
            return
        if told.si_signo in (signal.SIGTERM, signal.SIGINT):
            self._stopping = True
        elif told.si_signo == signal.SIGHUP and self._successor is None:
            self._successor = self._reload.begin(self._addresses, self._opened)
        elif told.si_signo == signal.SIGCHLD:
            self._reap()

    # Workers.

    def _fill(self) -> None:
        now = monotonic()
        for slot in self._slots:
            if not slot.pid and slot.due <= now:
                slot.since = now
                slot.due = now + _MAX_BACK_OFF  # should there be no process to be had
                slot.pid = self._fork(slot.number)

    def _fork(self, number: int) -> int:
        """The new worker's process; 0: there is none."""
        try:
            pid = os.fork()
        except OSError:
            LOG.exception("worker %d cannot be started", number)
            return 0
        if pid:
            return pid
        code = 1
        try:
            self._work()
            code = 0
        except BaseException:  # a forked process must not run its parent's code
            LOG.exception("worker %d ended", number)
        finally:
            logging.shutdown()
            os._exit(code)

    def _work(self) -> None:
        os.close(self._alive)
        self._environ.pop(handover.READY_FD, None)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
        serve(self._build, self._opened, self._attend, self._say_ready)

    def _attend(self, server: Server) -> None:
        asyncio.get_running_loop().add_reader(self._lifeline, server.stop)

    def _say_ready(self) -> None:
        os.write(self._report, b"1")

    def _hear_reports(self) -> None:
        try:
            reports = len(os.read(self._reports, 64))
        except BlockingIOError:
            return
        if self._unready > 0:
            self._unready -= reports
            if self._unready <= 0:
                handover.report_ready(self._environ)
                systemd.notify("READY=1", self._environ)

    def _reap(self) -> None:
        self._hear_reports()  # what the dead said before
        for slot in self._slots:
            if slot.pid and os.waitpid(slot.pid, os.WNOHANG)[0]:
                self._bury(slot)

    def _bury(self, slot: _Slot) -> None:
        now = monotonic()
        pid, slot.pid = slot.pid, 0
        if self._stopping:
            return
        if self._unready > 0:
            LOG.error("worker %d (process %d) could not start", slot.number, pid)
            self._stopping = True
            self._code = 1
            return
        short = now - slot.since < _LONG_LIVED
        slot.back_off = min(max(2 * slot.back_off, 0.25), _MAX_BACK_OFF) if short else 0.0
        slot.due = now + slot.back_off
        LOG.error(
            "worker %d (process %d) died; another starts in %.2f s", slot.number, pid, slot.back_off
        )

    # The end.

    def _watch_successor(self) -> None:
        if self._successor is None:
            return
        serves = self._successor.serves()
        if serves is None:
            return
        if serves:
            self._reload.succeeded(self._successor.pid)
            self._stopping = self._handed_over = True
        else:
            self._reload.failed()
        self._successor = None

    def _stop(self) -> int:
        if self._successor is not None:
            self._successor.abandon()
        if not self._handed_over:
            systemd.notify("STOPPING=1", self._environ)
        for each in self._opened.values():
            each.close()
        self._signal(signal.SIGTERM)
        until = monotonic() + _STOP_TIME
        while any(slot.pid for slot in self._slots) and monotonic() < until:
            signal.sigtimedwait([signal.SIGCHLD], _TICK)
            self._reap()
        self._signal(signal.SIGKILL)
        return self._code

    def _signal(self, number: signal.Signals) -> None:
        for slot in self._slots:
            if slot.pid:
                os.kill(slot.pid, number)
