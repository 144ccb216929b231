"""Where serving processes come to the broker for their sockets."""

import asyncio
import logging
import socket
from collections import deque
from collections.abc import Callable, Collection
from typing import Protocol

from firstlight.httpd.sockets.listening import duplicate
from firstlight.relay.broker.kernel import peer_user
from firstlight.relay.broker.protocol import (
    BadMessage,
    Closed,
    Holds,
    Message,
    Opened,
    Ready,
    Trouble,
    UpToDate,
    receive,
    send,
)
from firstlight.relay.namespaces import ListenAddress

LOG = logging.getLogger(__name__)

# A process, its successor, the workers of both.
_MOST_CLIENTS = 64
# Messages that may wait for a process that does not read; 500 networks are 1,500.
_MOST_UNSENT = 100_000

_Unsent = tuple[Message, socket.socket | None]


class SocketStock(Protocol):
    """What the broker has."""

    def sockets(self) -> dict[ListenAddress, socket.socket]:
        """All that it holds."""
        ...

    def troubles(self) -> dict[str, str]:
        """By namespace, what is wrong there."""
        ...

    def adopt(self, spot: ListenAddress, opened: socket.socket) -> bool:
        """Take a socket that is held by a serving process; False: it is of no use any more."""
        ...


class BrokerServer:
    """Hands every serving process what there is, and tells it of changes.

    Args:
        users: ids of the users whose processes are served.
    """

    def __init__(self, listening: socket.socket, users: Collection[int]) -> None:
        self._listening = listening
        self._users = users
        self._clients: set[_Client] = set()
        self._loop = asyncio.get_running_loop()
        listening.setblocking(False)

    def open(self, stock: SocketStock) -> None:
        """Serve from now on what `stock` has."""
        self._loop.add_reader(self._listening, self._accept, stock)

    def tell(self, message: Message, passed: socket.socket | None = None) -> None:
        """Tell every process that has been told everything before."""
        for client in tuple(self._clients):
            if client.ready:
                client.tell(message, passed)

    def close(self) -> None:
        """Serve nobody any more; what they hold is theirs."""
        self._loop.remove_reader(self._listening)
        for client in tuple(self._clients):
            client.close()

    def _accept(self, stock: SocketStock) -> None:
        try:
            connection, _ = self._listening.accept()
        except OSError:
            return
        user = peer_user(connection)
        if user not in self._users or len(self._clients) >= _MOST_CLIENTS:
            LOG.warning("a process of user %d is sent away: not the relay's, or too many", user)
            connection.close()
            return
        self._clients.add(_Client(connection, stock, self._clients.discard))


class _Client:
    """One serving process."""

    def __init__(
        self, connection: socket.socket, stock: SocketStock, ended: "Callable[[_Client], None]"
    ) -> None:
        self.ready = False
        self._connection = connection
        self._stock = stock
        self._ended = ended
        self._has: set[ListenAddress] = set()
        self._unsent: deque[_Unsent] = deque()
        self._loop = asyncio.get_running_loop()
        connection.setblocking(False)
        self._loop.add_reader(connection, self._hear)

    def close(self) -> None:
        if self._connection.fileno() < 0:
            return
        self._loop.remove_reader(self._connection)
        self._loop.remove_writer(self._connection)
        self._connection.close()
        while self._unsent:
            self._put_down(self._unsent.popleft())
        self._ended(self)

    def tell(self, message: Message, passed: socket.socket | None = None) -> None:
        # A copy, because the broker may close its own before this one is sent.
        self._unsent.append((message, None if passed is None else duplicate(passed)))
        if len(self._unsent) == 1:
            self._send()
        elif len(self._unsent) > _MOST_UNSENT:
            LOG.warning("a serving process does not read what it is told; it may come again")
            self.close()

    def _send(self) -> None:
        while self._unsent:
            message, passed = self._unsent[0]
            try:
                send(self._connection, message, passed)
            except BlockingIOError:
                self._loop.add_writer(self._connection, self._send)
                return
            except OSError:
                self.close()
                return
            self._put_down(self._unsent.popleft())
        self._loop.remove_writer(self._connection)

    @staticmethod
    def _put_down(unsent: _Unsent) -> None:
        if unsent[1] is not None:
            unsent[1].close()

    def _hear(self) -> None:
        try:
            heard = receive(self._connection)
        except BlockingIOError:
            return
        except (OSError, BadMessage) as error:
            LOG.warning("a serving process is sent away: %s", error)
            heard = None
        if heard is None:
            self.close()
        else:
            self._do(*heard)

    def _do(self, message: Message, passed: socket.socket | None) -> None:
        if isinstance(message, Holds) and passed is not None and not self.ready:
            if self._stock.adopt(message.spot, passed):
                self._has.add(message.spot)
            else:
                passed.close()
                self.tell(Closed(message.spot))
        elif isinstance(message, Ready) and not self.ready:
            self._tell_everything()
        else:
            self.close()

    def _tell_everything(self) -> None:
        self.ready = True
        for spot, opened in self._stock.sockets().items():
            if spot not in self._has:
                self.tell(Opened(spot), opened)
        for namespace, why in self._stock.troubles().items():
            self.tell(Trouble(namespace, why))
        self.tell(UpToDate())
