"""How often event loops say that they run, and how long one may be silent."""

import os
from collections.abc import Mapping
from time import monotonic

_USUAL = 15.0  # seconds, where no systemd says otherwise
_LATE = 1.0  # seconds: what wakes up so much later than asked for was not running itself
BEATS = 3  # in the time that a loop may be silent


class Rhythm:
    """What systemd's ``WatchdogSec=`` asks of this process, or what is usual.

    Attributes:
        silence: seconds after which a loop that said nothing is taken to hang: half of WatchdogSec.
        beat: seconds between two signs of life.
        watched: whether systemd wants signs of life from this process.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        microseconds = environ.get("WATCHDOG_USEC", "")
        of_whom = environ.get("WATCHDOG_PID", str(os.getpid()))
        self.watched = microseconds.isdigit() and of_whom == str(os.getpid())
        self.silence = int(microseconds) / 2e6 if self.watched else _USUAL
        self.beat = self.silence / BEATS


class Nap:
    """How much longer than it wanted a process slept: it was stopped, or the machine was."""

    def __init__(self) -> None:
        self._until = monotonic()

    def begin(self, seconds: float) -> float:
        """A sleep of so many seconds begins, of 0 if fewer; returns them."""
        seconds = max(0.0, seconds)
        self._until = monotonic() + seconds
        return seconds

    def overslept(self, now: float) -> float:
        """Seconds in which other processes could give no sign of life either."""
        late = now - self._until
        return late if late > _LATE else 0.0
