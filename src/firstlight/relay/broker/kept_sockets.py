"""The broker's sockets outlive it: its master keeps a copy of each for the next broker."""

import socket
from collections.abc import Iterator, Mapping

import msgspec

from firstlight.httpd.process.control import Control
from firstlight.relay.broker.protocol import NEIGHBOURS
from firstlight.relay.namespaces import ListenAddress


class Kept:
    """What the master keeps.

    Args:
        inherited: what the broker before this one had it keep, by the names it gave them.
    """

    def __init__(self, control: Control, inherited: Mapping[str, socket.socket]) -> None:
        self._control = control
        self._inherited = inherited
        self._closed = False

    def inherited(self) -> Iterator[tuple[ListenAddress, socket.socket]]:
        """The sockets of the broker before this one."""
        for name, opened in self._inherited.items():
            try:
                spot = msgspec.json.decode(name, type=ListenAddress)
            except msgspec.MsgspecError:  # another version has named it
                opened.close()
                self._control.drop(name)
            else:
                yield spot, opened

    def keep(self, spot: ListenAddress, opened: socket.socket) -> None:
        """Have a listening socket kept; there is no sense in that for another."""
        if spot.host != NEIGHBOURS:
            self._control.keep(_name(spot), opened)

    def drop(self, spot: ListenAddress) -> None:
        """A socket is of no use any more."""
        if not self._closed and spot.host != NEIGHBOURS:
            self._control.drop(_name(spot))

    def close(self) -> None:
        """What is dropped from now on is kept all the same, for the next broker."""
        self._closed = True


def _name(spot: ListenAddress) -> str:
    return msgspec.json.encode(spot).decode()
