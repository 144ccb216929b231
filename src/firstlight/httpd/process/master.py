"""The master: the process that an init, a service manager or a container knows, from start to end.

It starts the command that it was started with once more, as a generation, which reads the
configuration, opens the sockets and serves. The master keeps the sockets, so that a generation that
dies is followed by another, and what has connected meanwhile is answered.

SIGTERM and SIGINT end all when what was asked is answered. SIGHUP starts another generation, with
the code and the configuration of that moment; when it serves, the one before ends; when it fails,
the one before stays. Then the master executes itself, for its own new code, if that has been seen
to start. Under systemd use ``Type=notify`` and ``ExecReload=kill -HUP $MAINPID``.
"""

import json
import os
import signal
from collections.abc import MutableMapping
from time import CLOCK_MONOTONIC, clock_gettime_ns, localtime, monotonic, strftime

from firstlight.httpd.process import channel, handoff, member, systemd
from firstlight.httpd.process.heartbeat import Nap, Rhythm
from firstlight.httpd.process.member import Held, Member
from firstlight.httpd.process.signals import Signals

TYPE_CHECKING = False  # typing itself would be a megabyte
if TYPE_CHECKING:
    from typing import Any

_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD)
_MANAGERS = ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID")  # generations are not asked
_FIRST_ACTIVATED = 3  # sd_listen_fds(3)
_PATIENCE = 60.0  # seconds for a generation to start; a large store may migrate first
_TRIAL_TIME = 20.0  # seconds for new code to read what the old has written
_LONG_LIVED = 10.0  # seconds after which a death is news, not the same trouble again
_LEAST_BACK_OFF, _MOST_BACK_OFF = 0.25, 30.0
_ENDING = 30.0  # seconds without a sign of life in which a generation that ends is left alone


def run(environ: MutableMapping[str, str]) -> int:
    """Be the master until told to end; returns the exit code, which a failed start decides."""
    state = environ.pop(handoff.STATE, "")
    trial = environ.pop(handoff.TRIAL, "")
    if not state:
        return Master(environ).run()
    master = Master(environ, handoff.read(int(state)))
    return 0 if trial else master.run()


class Master:
    """Looks after generations. It has no event loop, no threads, and answers nothing.

    Args:
        environ: what generations get too, without what is the master's alone.
        left: by the master that this process was before it executed itself.
    """

    def __init__(
        self, environ: MutableMapping[str, str], left: "dict[str, Any] | None" = None
    ) -> None:
        self._rhythm = Rhythm(environ)
        self._manager = {name: environ.pop(name) for name in _MANAGERS if name in environ}
        self._environ = environ
        self._held: Held = _activated(environ)
        self._kept: dict[str, int] = {}
        self._serving: Member | None = None  # or starting, if nothing serves
        self._coming: Member | None = None
        self._leaving: list[Member] = []
        self._served = False  # at any time: then a start that fails is not the end
        self._again = False  # a reload is asked for while one is under way
        self._stopping = False
        self._code = 0
        self._back_off = self._due = 0.0
        self._trial, self._trial_until = 0, 0.0
        self._beat_due = 0.0
        self._nap = Nap()
        if left is not None:
            self._take_up(left)

    def run(self) -> int:
        """Look after them until told to end, and they have ended."""
        with Signals(_SIGNALS) as signals:
            self._signals = signals
            self._reap()  # what ended while this process executed itself
            self._reload_again()
            while self._members() or not self._stopping:
                self._turn(signals)
        return self._code

    def _turn(self, signals: Signals) -> None:
        now = monotonic()
        self._look_after(now)
        listening = {
            each.channel.fileno(): each for each in self._members() if each.channel is not None
        }
        caught, readable = signals.wait(listening, self._nap.begin(self._next(now) - now))
        for descriptor in readable & listening.keys():
            self._hear(listening[descriptor])
        for number in dict.fromkeys(caught):
            self._act_on(number)

    def _members(self) -> list[Member]:
        return [each for each in (self._serving, self._coming, *self._leaving) if each is not None]

    def _act_on(self, number: int) -> None:
        if number == signal.SIGCHLD:
            self._reap()
        elif number == signal.SIGHUP:
            self._reload()
        else:
            self._stop()

    # Time.

    def _next(self, now: float) -> float:
        """When something is to be done even if nothing happens."""
        times = [now + self._rhythm.beat, now + 60.0]
        if self._rhythm.watched:
            times.append(self._beat_due)
        if self._wants_one():
            times.append(self._due)
        if any(each.dying for each in self._members()):
            times.append(now + 0.1)
        return min(times)

    def _look_after(self, now: float) -> None:
        late = self._nap.overslept(now)
        for each in self._members():
            each.beaten += late
        if self._wants_one():
            self._start(now)
        for each in self._members():
            self._end_if_hanging(each, now)
        if self._trial and now > self._trial_until:
            os.kill(self._trial, signal.SIGKILL)
        if self._rhythm.watched and now >= self._beat_due:
            self._beat_due = now + self._rhythm.beat
            if self._served and self._is_well(now):
                self._notify("WATCHDOG=1")

    def _wants_one(self) -> bool:
        """Whether a generation is to be started because none serves, or is about to."""
        return self._serving is None and self._coming is None and not self._stopping

    def _is_well(self, now: float) -> bool:
        serving = self._serving
        if serving is None:
            return False
        return serving.well and now - serving.beaten < self._rhythm.silence

    def _end_if_hanging(self, one: Member, now: float) -> None:
        silent = now - one.beaten
        if one.leaves:
            hangs = silent > max(_ENDING, self._rhythm.silence)
        elif one.ready:
            hangs = silent > self._rhythm.silence and not one.takes
        else:
            hangs = silent > _PATIENCE and self._served
        if hangs and not one.dying:
            say(
                "ERROR",
                f"process {one.pid} gave no sign of life for {silent:.1f} s and is ended",
            )
        if hangs or one.dying:
            one.abort(now)

    # Generations.

    def _start(self, now: float) -> None:
        """A generation where there is none, unless that is to wait."""
        if now < self._due:
            return
        self._due = now + _MOST_BACK_OFF  # should there be no process to be had
        self._serving = self._another(now, takes_over=False)

    def _another(self, now: float, *, takes_over: bool) -> Member | None:
        try:
            return member.start(
                self._held,
                self._environ,
                now=now,
                beat=self._rhythm.beat,
                takes_over=takes_over,
            )
        except OSError as error:
            say("ERROR", f"a new process cannot be started: {error.strerror}")
            return None

    def _hear(self, one: Member) -> None:
        while (heard := one.hear()) is not None:
            words, descriptor = heard
            if not self._understood(one, words, descriptor) and descriptor >= 0:
                os.close(descriptor)

    def _understood(self, one: Member, words: list[str], descriptor: int) -> bool:
        """Do what a generation says; False: the descriptor that came along is not wanted."""
        match words:
            case [channel.LISTENS, name, address] if descriptor >= 0:
                one.held[name, address] = descriptor
                return True
            case [channel.KEEP, name] if descriptor >= 0:
                self._drop(name)
                self._kept[name] = descriptor
                return True
            case [channel.DROP, name]:
                self._drop(name)
            case [channel.BEATS, well]:
                one.beaten, one.well = monotonic(), well == "1"
            case [channel.TAKE]:
                one.takes = True
                self._give()
            case [channel.READY] if not one.ready:
                one.ready, one.beaten = True, monotonic()
                self._serves(one)
        return False

    def _drop(self, name: str) -> None:
        descriptor = self._kept.pop(name, -1)
        if descriptor >= 0:
            os.close(descriptor)

    def _give(self) -> None:
        """Hand what is kept to the generation that waits for it, once it is the only one."""
        members = self._members()
        if len(members) == 1 and members[0].takes:
            for name, descriptor in self._kept.items():
                members[0].tell(channel.KEEP, name, descriptor=descriptor)
            members[0].tell(channel.ALONE)
            members[0].takes = False
            members[0].beaten = monotonic()

    def _serves(self, one: Member) -> None:
        """A generation is ready: those before it can go."""
        if self._stopping:
            return
        member.close_all(self._held)
        self._held, one.held = one.held, {}
        before, self._served = self._serving, True
        if one is self._coming:
            say("INFO", f"process {one.pid} has taken over")
            self._serving, self._coming = one, None
            if before is not None:
                before.end()
                self._leaving.append(before)
        self._notify("READY=1")
        if before is one:
            self._reload_again()
        else:
            self._try_new_code()

    def _reap(self) -> None:
        """Every process that has ended, those of others as well: process 1 gets all orphans."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if not pid:
                return
            self._bury(pid, os.waitstatus_to_exitcode(status))

    def _bury(self, pid: int, code: int) -> None:
        if pid == self._trial:
            self._trial = 0
            self._tried(code)
            return
        one = next((each for each in self._members() if each.pid == pid), None)
        if one is None:
            return
        self._hear(one)  # what it said before
        one.release()
        if one in self._leaving:
            self._leaving.remove(one)
        elif one is self._coming:
            self._coming = None
            self._failed(pid, code)
        else:
            self._serving = None
            self._died(one, code)
        self._give()

    def _died(self, one: Member, code: int) -> None:
        """The generation that served, or was to serve first, is gone."""
        if self._stopping:
            return
        if not self._served:
            self._code = code if code >= 0 else 128 - code
            self._stopping = True
            return
        now = monotonic()
        short = now - one.since < _LONG_LIVED
        longer = min(max(2 * self._back_off, _LEAST_BACK_OFF), _MOST_BACK_OFF)
        self._back_off = longer if short else 0.0
        self._due = now + self._back_off
        say(
            "ERROR",
            f"process {one.pid} {_ending(code)}; another starts in {self._back_off:.2f} s",
        )

    # Reloading.

    def _reload(self) -> None:
        if self._stopping:
            say("WARNING", "SIGHUP while the end is under way: ignored")
            return
        if self._coming is not None or self._trial or not self._served:
            self._again = True  # what it is to read may have been read already
            return
        self._again = False
        microseconds = clock_gettime_ns(CLOCK_MONOTONIC) // 1000
        self._notify(f"RELOADING=1\nMONOTONIC_USEC={microseconds}")
        self._coming = self._another(monotonic(), takes_over=True)
        if self._coming is None:
            self._failed_to_reload()

    def _failed(self, pid: int, code: int) -> None:
        if self._stopping:
            return
        say("ERROR", f"process {pid} {_ending(code)}; its own messages say why")
        self._failed_to_reload()

    def _failed_to_reload(self) -> None:
        say("ERROR", "the new process does not serve; the one before goes on as it was configured")
        self._notify("READY=1")
        self._reload_again()

    def _reload_again(self) -> None:
        if self._again and not self._stopping:
            self._reload()

    # Executing new code.

    def _try_new_code(self) -> None:
        """See whether the code of this moment starts, and reads what this one would leave to it."""
        state = handoff.write(self._left())
        variables = {**self._environ, handoff.STATE: str(state), handoff.TRIAL: "1"}
        try:
            self._trial = member.spawn(variables, [state, *self._descriptors()])
            self._trial_until = monotonic() + _TRIAL_TIME
        except OSError as error:
            say("ERROR", f"new code cannot be tried: {error.strerror}")
            self._reload_again()
        finally:
            os.close(state)

    def _tried(self, code: int) -> None:
        if self._stopping:
            return
        if code:
            say("ERROR", f"the new master {_ending(code)}; this one goes on with its old code")
        else:
            self._execute()
        self._reload_again()

    def _execute(self) -> None:
        """Be the new code from here on; returns only if that cannot be done."""
        self._signals.block()
        state = handoff.write(self._left())
        descriptors = [state, *self._descriptors()]
        try:
            handoff.survive(descriptors, True)
            variables = {**self._environ, **self._manager, handoff.STATE: str(state)}
            os.execve(member.program(), member.command(), variables)  # noqa: S606  (itself)
        except OSError as error:
            say("ERROR", f"new code cannot be executed: {error.strerror}")
        handoff.survive(descriptors, False)
        os.close(state)
        self._signals.unblock()

    def _descriptors(self) -> list[int]:
        channels = [each.channel for each in self._members()]
        return [
            *(each.fileno() for each in channels if each is not None),
            *self._held.values(),
            *self._kept.values(),
        ]

    def _left(self) -> "dict[str, Any]":
        """Everything that counts, at a moment in which no reload is under way."""
        return {
            "held": channel.describe(self._held),
            "kept": self._kept,
            "serving": None if self._serving is None else self._serving.described(),
            "leaving": [each.described() for each in self._leaving],
            "again": self._again,
            "back_off": self._back_off,
            "due": self._due,
        }

    def _take_up(self, left: "dict[str, Any]") -> None:
        """Go on where :meth:`_left` stopped."""
        self._served = True
        for name, address, descriptor in json.loads(left["held"]):
            self._held[name, address] = descriptor
        self._kept = left["kept"]
        self._serving = left["serving"] and Member.restored(left["serving"])
        self._leaving = [Member.restored(each) for each in left["leaving"]]
        self._again, self._back_off = left["again"], left["back_off"]
        self._due = left["due"]
        handoff.survive(self._descriptors(), False)

    # The end.

    def _stop(self) -> None:
        if self._stopping:
            return
        self._stopping = True
        self._notify("STOPPING=1")
        member.close_all(self._held)
        if self._trial:
            os.kill(self._trial, signal.SIGKILL)
        for each in self._members():
            each.end()

    def _notify(self, words: str) -> None:
        systemd.notify(words, self._manager)


def _activated(environ: MutableMapping[str, str]) -> Held:
    """The sockets that systemd has opened for this process, by their names."""
    for_whom = environ.pop("LISTEN_PID", "")
    number = int(environ.pop("LISTEN_FDS", "0"))
    names = environ.pop("LISTEN_FDNAMES", "").split(":")
    if for_whom != str(os.getpid()):
        return {}
    numbers = range(_FIRST_ACTIVATED, _FIRST_ACTIVATED + number)
    handoff.survive(numbers, False)
    return {(name, ""): descriptor for name, descriptor in zip(names, numbers, strict=True)}


def _ending(code: int) -> str:
    return f"ended with {code}" if code >= 0 else f"was ended by signal {-code}"


def say(level: str, text: str) -> None:
    """A line on standard error, as oslo.log writes it by default."""
    now = clock_gettime_ns(0)
    when = strftime("%Y-%m-%d %H:%M:%S", localtime(now // 10**9))
    milliseconds = now // 10**6 % 1000
    line = f"{when}.{milliseconds:03d} {os.getpid()} {level} {__name__} [-] {text}\n"
    try:
        os.write(2, line.encode(errors="backslashreplace"))
    except OSError:
        return
