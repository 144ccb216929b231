"""Signals as something to wait for, together with descriptors."""

import os
import select
import signal
from collections.abc import Iterable, Sequence


class Signals:
    """A context in which these signals wake up :meth:`wait`, however early they come.

    It is for the main thread of a process without an event loop.
    """

    def __init__(self, numbers: Sequence[signal.Signals]) -> None:
        self._numbers = numbers
        self._reading, self._writing = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)

    def __enter__(self) -> "Signals":
        signal.set_wakeup_fd(self._writing, warn_on_full_buffer=False)
        for number in self._numbers:
            signal.signal(number, _noted)
        self.unblock()
        return self

    def __exit__(self, *exc: object) -> None:
        self.forget()

    def forget(self) -> None:
        """Signals do again what they do by default: in a forked process, and at the end."""
        signal.set_wakeup_fd(-1)
        for number in self._numbers:
            signal.signal(number, signal.SIG_DFL)
        os.close(self._reading)
        os.close(self._writing)

    def block(self) -> None:
        """Have them wait, across fork (for the parent) and exec, until :meth:`unblock`."""
        signal.pthread_sigmask(signal.SIG_BLOCK, self._numbers)

    def unblock(self) -> None:
        """Let those come that wait."""
        signal.pthread_sigmask(signal.SIG_UNBLOCK, self._numbers)

    def wait(self, descriptors: Iterable[int], seconds: float) -> tuple[list[int], set[int]]:
        """The signals that have come, and those of the descriptors that can be read.

        Returns at the latest after so many seconds.
        """
        poll = select.poll()
        poll.register(self._reading, select.POLLIN)
        for descriptor in descriptors:
            poll.register(descriptor, select.POLLIN)
        readable = {number for number, _ in poll.poll(max(0, round(1000 * seconds)))}
        if self._reading not in readable:
            return [], readable
        return list(os.read(self._reading, 4096)), readable - {self._reading}


def _noted(_number: int, _frame: object) -> None:
    """Nothing is done in a handler: the wake-up descriptor has told."""
