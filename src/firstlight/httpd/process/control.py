"""A generation's end of the channel to its master."""

import asyncio
import faulthandler
import signal
import socket
from collections.abc import Callable, Mapping, MutableMapping

from firstlight.httpd.process import channel, systemd
from firstlight.httpd.process.channel import BEAT, CHANNEL, TAKES_OVER

_SEND_TIME = 5.0  # seconds for the master to read what it is told


class Control:
    """Tells the master how this process is; without a master, tells systemd once that it is ready.

    Attributes:
        every: seconds between two signs of life.
        takes_over: another generation serves, and ends when this one is ready.
    """

    def __init__(self, environ: MutableMapping[str, str]) -> None:
        self._environ = environ
        self.takes_over = takes_over(environ)
        self.every = float(environ.pop(BEAT, "5"))
        end = environ.pop(CHANNEL, "")
        self._channel = socket.socket(fileno=int(end)) if end else None
        if self._channel is not None:
            self._channel.set_inheritable(False)
            # A hang-up is the master's affair; a terminal's goes to the whole group.
            signal.signal(signal.SIGHUP, signal.SIG_IGN)
        faulthandler.register(channel.STACKS)

    @property
    def descriptor(self) -> int:
        """Can be read when the master is gone; -1: there is none."""
        return -1 if self._channel is None else self._channel.fileno()

    def listens(self, name: str, address: str, opened: socket.socket) -> None:
        """The master is to keep this socket for the generation after this one."""
        self._tell(channel.LISTENS, name, address, descriptor=opened.fileno())

    def keep(self, name: str, opened: socket.socket) -> None:
        """The master is to keep this one until a later generation takes it, or drops it."""
        self._tell(channel.KEEP, name, descriptor=opened.fileno())

    def drop(self, name: str) -> None:
        """The master need not keep that any more."""
        self._tell(channel.DROP, name)

    def ready(self) -> None:
        """It serves."""
        if self._channel is None:
            systemd.notify("READY=1", self._environ)
        self._tell(channel.READY)

    def beat(self, well: bool = True) -> None:
        """The loops of this generation run, or (not `well`) one of them does not."""
        self._tell(channel.BEATS, "1" if well else "0", patience=0)

    def take(self) -> dict[str, socket.socket]:
        """Wait until every generation before this one has ended; what they had the master keep.

        The process ends here if its master does.
        """
        kept: dict[str, socket.socket] = {}
        if self._channel is None:
            return kept
        self._tell(channel.TAKE)
        self._channel.settimeout(None)
        while (heard := channel.receive(self._channel))[0] != [channel.ALONE]:
            words, descriptor = heard
            if not words:
                raise SystemExit(1)
            kept[words[1]] = socket.socket(fileno=descriptor)
        return kept

    def close(self) -> None:
        """In a process forked from this one: the channel is its parent's."""
        if self._channel is not None:
            self._channel.close()
            self._channel = None

    async def attend(self, stop: Callable[[], None]) -> None:
        """Beat on the running event loop until cancelled; `stop` is called when the master ends."""
        if self._channel is not None:
            asyncio.get_running_loop().add_reader(self._channel.fileno(), self._gone, stop)
        while True:
            self.beat()
            await asyncio.sleep(self.every)

    def _gone(self, stop: Callable[[], None]) -> None:
        """A master says nothing unasked: what can be read is its end."""
        asyncio.get_running_loop().remove_reader(self.descriptor)
        stop()

    def _tell(self, *words: str, descriptor: int = -1, patience: float = _SEND_TIME) -> None:
        if self._channel is None:
            return
        self._channel.settimeout(patience)
        try:
            channel.send(self._channel, *words, descriptor=descriptor)
        except OSError:  # it is gone, which is noticed by whoever reads
            return


def takes_over(environ: Mapping[str, str]) -> bool:
    """Whether another process serves until this one does."""
    return TAKES_OVER in environ
