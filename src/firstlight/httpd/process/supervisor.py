"""Several processes that accept from the same sockets, and the one that looks after them.

It is a generation of a service with workers: it has read the configuration and forks, so that all
its workers have the same, and share the memory of what was imported. The sockets are shared, not
opened once per worker with SO_REUSEPORT: what is queued on the SO_REUSEPORT socket of a worker that
dies is lost, what is queued here is another worker's.
"""

import asyncio
import logging
import os
import signal
import struct
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from enum import IntEnum
from socket import socket
from time import monotonic

from firstlight.httpd.process.channel import FINAL, STACKS
from firstlight.httpd.process.control import Control
from firstlight.httpd.process.heartbeat import BEATS, Nap
from firstlight.httpd.process.signals import Signals
from firstlight.httpd.process.worker import Build, serve

LOG = logging.getLogger(__name__)

_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD)
_LONG_LIVED = 10.0  # seconds after which a death is news, not the same trouble again
_MAX_BACK_OFF = 30.0
_STOP_TIME = 30.0  # seconds for workers to end; longer than Limits.drain_time

# What a worker writes: its process id, and which _Sign. Shorter than PIPE_BUF, so that what several
# workers write is never mixed.
_REPORT = struct.Struct("=iB")


class _Sign(IntEnum):
    """What a worker says of its event loop."""

    RUNS = 0
    SERVES = 1  # runs for the first time
    ENDED = 2  # what the worker still does, it does without a loop


@dataclass
class _Slot:
    """A worker's place: what is in it, since when, and when it may be filled again."""

    number: int
    pid: int = 0
    since: float = 0.0
    beaten: float = 0.0
    ready: bool = False
    ended: bool = False  # its loop, on purpose
    killed: float = 0.0  # when the worker is to be killed for good
    back_off: float = 0.0
    due: float = 0.0


class Supervisor:
    """Keeps `workers` processes serving. It has no event loop, no threads and answers nothing."""

    def __init__(
        self, build: Build, opened: Mapping[str, socket], workers: int, control: Control
    ) -> None:
        self._build = build
        self._opened = opened
        self._control = control
        self._slots = [_Slot(number) for number in range(workers)]
        self._told_ready = False
        self._stopping = False
        self._code = 0
        self._beat_due = 0.0
        self._nap = Nap()
        self._reports, self._report = os.pipe()
        os.set_blocking(self._reports, False)
        # Its other end closes when this process dies, however it dies; then the workers stop.
        self._lifeline, self._alive = os.pipe()

    def run(self) -> int:
        """Supervise until told to stop; returns 1 if a worker could not start at all."""
        with Signals(_SIGNALS) as signals:
            self._signals = signals
            while not self._stopping:
                self._fill()
                self._look_after(monotonic())
                self._turn(self._pause())
            return self._stop()

    def _turn(self, seconds: float) -> None:
        master = [self._control.descriptor] if self._control.descriptor >= 0 else []
        caught, readable = self._signals.wait([self._reports, *master], self._nap.begin(seconds))
        self._hear_reports()
        if signal.SIGCHLD in caught:
            self._reap()
        if readable.intersection(master) or {signal.SIGTERM, signal.SIGINT}.intersection(caught):
            self._stopping = True

    def _pause(self) -> float:
        """Seconds for which nothing is to be done if nothing happens."""
        now = monotonic()
        due = [slot.due for slot in self._slots if not slot.pid]
        killed = [slot.killed for slot in self._slots if slot.killed]
        return min(self._beat_due, *due, *killed, now + self._control.every) - now

    # Workers.

    def _fill(self) -> None:
        now = monotonic()
        for slot in self._slots:
            if not slot.pid and slot.due <= now:
                slot.since = slot.beaten = now
                slot.ready, slot.ended, slot.killed = False, False, 0.0
                slot.due = now + _MAX_BACK_OFF  # should there be no process to be had
                slot.pid = self._fork(slot.number)

    def _fork(self, number: int) -> int:
        """The new worker's process; 0: there is none."""
        # A signal to the worker must not be lost in what it has of this process's handlers.
        self._signals.block()
        try:
            pid = os.fork()
        except OSError:
            self._signals.unblock()
            LOG.exception("a worker cannot be started: %d", number)
            return 0
        if pid:
            self._signals.unblock()
            return pid
        code = 1
        try:
            self._work()
            code = 0
        except BaseException:  # a forked process must not run its parent's code
            LOG.exception("worker %d ended with an exception", number)
        finally:
            logging.shutdown()
            os._exit(code)

    def _work(self) -> None:
        os.close(self._alive)
        self._control.close()
        self._signals.forget()
        self._signals.unblock()
        serve(self._build, self._opened, self._attend, lambda: self._say(_Sign.SERVES))

    async def _attend(self, stop: Callable[[], None]) -> None:
        asyncio.get_running_loop().add_reader(self._lifeline, stop)
        try:
            while True:
                await asyncio.sleep(self._control.every)
                self._say(_Sign.RUNS)
        finally:
            self._say(_Sign.ENDED)

    def _say(self, sign: _Sign) -> None:
        with suppress(BrokenPipeError):  # the supervisor has died, which the lifeline tells
            os.write(self._report, _REPORT.pack(os.getpid(), sign))

    def _hear_reports(self) -> None:
        try:
            reports = os.read(self._reports, 4096 * _REPORT.size)
        except BlockingIOError:
            return
        now = monotonic()
        slots = {slot.pid: slot for slot in self._slots}
        for pid, sign in _REPORT.iter_unpack(reports):
            slot = slots.get(pid)
            if slot is not None:
                slot.beaten = now
                slot.ready |= sign == _Sign.SERVES
                slot.ended |= sign == _Sign.ENDED
        if not self._told_ready and all(slot.ready for slot in self._slots):
            self._told_ready = True
            self._control.ready()

    def _look_after(self, now: float) -> None:
        """End the workers whose loops hang, and tell the master how all are."""
        self._end_hanging(now)
        if now >= self._beat_due:
            self._beat_due = now + self._control.every
            silence = BEATS * self._control.every
            self._control.beat(all(now - slot.beaten < silence for slot in self._slots))

    def _end_hanging(self, now: float) -> None:
        silence = BEATS * self._control.every
        late = self._nap.overslept(now)
        for slot in self._slots:
            slot.beaten += late
            # Told to end, a worker lets go of things after its loop has; _STOP_TIME bounds that.
            runs = slot.pid and slot.ready and not (self._stopping and slot.ended)
            if runs and now - slot.beaten > silence:
                self._end_one(slot, now)

    def _end_one(self, slot: _Slot, now: float) -> None:
        """Have a worker write where it hangs, and end it a moment later."""
        if not slot.killed:
            slot.killed = now + FINAL
            LOG.error(
                "a worker gave no sign of life and is ended: worker %d, process %d, %.1f s",
                slot.number,
                slot.pid,
                now - slot.beaten,
            )
            os.kill(slot.pid, STACKS)
        elif now >= slot.killed:
            slot.killed = now + FINAL
            os.kill(slot.pid, signal.SIGKILL)

    def _reap(self) -> None:
        for slot in self._slots:
            if slot.pid and os.waitpid(slot.pid, os.WNOHANG)[0]:
                self._bury(slot)

    def _bury(self, slot: _Slot) -> None:
        now = monotonic()
        pid, slot.pid = slot.pid, 0
        if self._stopping:
            return
        if not self._told_ready:
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

    def _stop(self) -> int:
        for each in self._opened.values():
            each.close()
        self._signal(signal.SIGTERM)
        until = monotonic() + _STOP_TIME
        while any(slot.pid for slot in self._slots) and monotonic() < until:
            self._control.beat()
            self._turn(min(self._control.every, until - monotonic()))
            # A worker that hangs does not hear SIGTERM: the rest must not wait for it.
            self._end_hanging(monotonic())
        self._signal(signal.SIGKILL)
        return self._code

    def _signal(self, number: signal.Signals) -> None:
        for slot in self._slots:
            if slot.pid:
                os.kill(slot.pid, number)
