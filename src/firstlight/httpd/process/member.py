"""A generation as its master sees it: a process, its sockets, and when its loops last ran."""

import os
import signal
import sys
from _socket import socket
from collections.abc import Mapping

from firstlight.httpd.process import channel
from firstlight.httpd.process.channel import BEAT, CHANNEL, FINAL, INHERIT, STACKS, TAKES_OVER

# Name and address of a socket, and its descriptor. "" is the address of one that systemd opened.
Held = dict[tuple[str, str], int]

# Those that a process may have inherited as ignored, and that a service wants to hear.
_DEFAULT = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD, signal.SIGQUIT)


class Member:
    """One generation.

    Attributes:
        since: when it was started, monotonic.
        beaten: when it last said that all its loops run; before that, when it was started.
        well: what it said last of its loops.
        takes: it waits until it is alone, to be given what is kept.
        leaves: it was told to end.
    """

    def __init__(self, pid: int, end: int, now: float) -> None:
        """`end` is this side of its channel, -1 if there is none any more."""
        self.pid = pid
        self.channel: socket | None = None
        if end >= 0:
            self.channel = socket(fileno=end)
            self.channel.setblocking(False)
        self.since = self.beaten = now
        self.ready = self.takes = self.leaves = False
        self.well = True
        self.held: Held = {}
        self._killed = 0.0  # when it is to be killed for good

    @property
    def dying(self) -> bool:
        """Whether it is being ended by force."""
        return self._killed > 0

    def hear(self) -> tuple[list[str], int] | None:
        """What it says next, with a descriptor; None: nothing now. At its end, the channel goes."""
        if self.channel is None:
            return None
        try:
            words, descriptor = channel.receive(self.channel)
        except BlockingIOError:
            return None
        if not words:
            self.channel.close()
            self.channel = None
            return None
        return words, descriptor

    def tell(self, *words: str, descriptor: int = -1) -> None:
        """Say something to it; if it does not listen, or is gone, that shows elsewhere."""
        if self.channel is None:
            return
        self.channel.settimeout(5)
        try:
            channel.send(self.channel, *words, descriptor=descriptor)
        except OSError:
            return
        finally:
            self.channel.setblocking(False)

    def end(self) -> None:
        """Ask it to answer what was asked, and end."""
        self.leaves = True
        self.send(signal.SIGTERM)

    def abort(self, now: float) -> None:
        """Have it write where it hangs, and end it a moment later, if that is not under way."""
        if not self._killed:
            self._killed = now + FINAL
            # One that is not ready may not know the first signal yet, and would end by it.
            self.send(STACKS)
        elif now >= self._killed:
            self.send(signal.SIGKILL)

    def send(self, number: signal.Signals) -> None:
        """Send it a signal. It cannot be another process: it was not waited for yet."""
        os.kill(self.pid, number)

    def release(self) -> None:
        """Close what is held of it."""
        if self.channel is not None:
            self.channel.close()
            self.channel = None
        close_all(self.held)

    # Across exec.

    def described(self) -> dict[str, object]:
        """All of this, as JSON can have it."""
        return {
            "pid": self.pid,
            "channel": -1 if self.channel is None else self.channel.fileno(),
            "since": self.since,
            "beaten": self.beaten,
            "ready": self.ready,
            "takes": self.takes,
            "leaves": self.leaves,
        }

    @classmethod
    def restored(cls, described: Mapping[str, object]) -> "Member":
        """What :meth:`described` was of."""
        member = cls(int(str(described["pid"])), int(str(described["channel"])), 0.0)
        for name in ("since", "beaten", "ready", "takes", "leaves"):
            setattr(member, name, described[name])
        return member


def start(
    held: Held, environ: Mapping[str, str], *, now: float, beat: float, takes_over: bool
) -> Member:
    """Start the command that this process was started with, as a generation.

    Raises:
        OSError: there is no process to be had.
    """
    ours, theirs = channel.pair()
    try:
        variables = {
            **environ,
            CHANNEL: str(theirs.fileno()),
            BEAT: str(beat),
            INHERIT: channel.describe(held),
            **({TAKES_OVER: "1"} if takes_over else {}),
        }
        pid = spawn(variables, [theirs.fileno(), *held.values()])
    except OSError:
        ours.close()
        raise
    finally:
        theirs.close()
    return Member(pid, ours.detach(), now)


def spawn(environ: Mapping[str, str], descriptors: list[int]) -> int:
    """A process of this one's command, options and all, which has these descriptors too.

    Raises:
        OSError: there is none to be had.
    """
    return os.posix_spawn(
        program(),
        command(),
        environ,
        # A descriptor made a copy of itself is one that survives exec.
        file_actions=[(os.POSIX_SPAWN_DUP2, each, each) for each in descriptors],
        setsigmask=[],
        setsigdef=_DEFAULT,
    )


def program() -> str:
    """The interpreter to execute: this one, by its name, so that one that replaced it is found.

    A process that gave up its privileges may not reach it by name any more, but has it open.
    """
    return sys.executable if os.access(sys.executable, os.X_OK) else "/proc/self/exe"


def command() -> list[str]:
    """As this process was started: `python -m …` or a console script, options and all."""
    return [sys.executable, *sys.orig_argv[1:]]


def close_all(held: Held) -> None:
    """Close these sockets, and forget them."""
    for descriptor in held.values():
        os.close(descriptor)
    held.clear()
