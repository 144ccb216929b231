"""A serving process follows the broker: its listeners come and go as the namespaces do."""

import asyncio
import logging
import socket
from collections.abc import Callable

from firstlight.httpd.listener import Listener
from firstlight.httpd.protocol.messages import Handler
from firstlight.httpd.server import Server
from firstlight.relay.broker.protocol import (
    NEIGHBOURS,
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
from firstlight.relay.namespaces import ListenAddress, kind_of, place_of
from firstlight.relay.proxy.neighbours import Neighbours

LOG = logging.getLogger(__name__)

# Seconds. How long the start waits to be told everything, so that a process which takes over
# listens everywhere before the other ends; and between two attempts to reach the broker.
_FIRST = 5.0
_AGAIN = 0.2


class BrokerAway(Exception):
    """A process that is to take over would listen nowhere; the message says why."""


class BrokerClient:
    """What one process has of the broker.

    Args:
        broker: the path of its socket.
        handler: answers on the listeners.
        neighbours: gets the sockets that the namespaces' neighbour tables are asked by.
        takes_over: from a process that listens already.
    """

    def __init__(
        self, broker: str, handler: Handler, neighbours: Neighbours, *, takes_over: bool = False
    ) -> None:
        self._takes_over = takes_over
        self._neighbours = neighbours
        self._broker = broker
        self._handler = handler
        self._held: dict[ListenAddress, socket.socket] = {}
        self._troubles: dict[str, str] = {}
        self._away: str | None = "the broker has not been asked yet"
        self._level = asyncio.Event()
        self._following: asyncio.Task[None] | None = None
        self._leaving: set[asyncio.Task[None]] = set()

    async def begin(self, server: Server) -> None:
        """Follow from now on; see :meth:`Server.accompany`.

        Raises:
            BrokerAway: the process that this one is to replace has sockets, and this one gets none.
        """
        self._following = asyncio.create_task(self._follow(server))
        try:
            await asyncio.wait_for(self._level.wait(), _FIRST)
        except TimeoutError:
            if self._takes_over:
                raise BrokerAway(self._away) from None

    def trouble(self) -> str | None:
        """Why nothing is learnt of namespaces that appear now; None: the broker is there."""
        return self._away

    def troubles(self) -> dict[str, str]:
        """By namespace, what keeps the broker from listening there."""
        return dict(self._troubles)

    def listeners(self) -> int:
        """How many addresses are listened on."""
        return len(self._held)

    async def _follow(self, server: Server) -> None:
        while True:
            try:
                with await self._connected() as connection:
                    await self._converse(server, connection)
                said = "it ended"
            except (OSError, BadMessage) as error:
                said = getattr(error, "strerror", None) or str(error)
            except Exception:  # the task's boundary: networks must be followed whatever happens
                LOG.exception("following the broker failed, and begins anew")
                said = "what it said could not be done"
            self._lost(said)
            await asyncio.sleep(_AGAIN)

    async def _connected(self) -> socket.socket:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        connection.setblocking(False)
        try:
            await asyncio.get_running_loop().sock_connect(connection, self._broker)
        except OSError:
            connection.close()
            raise
        return connection

    async def _converse(self, server: Server, connection: socket.socket) -> None:
        # A broker that was started anew tells of these, and not of those that have gone.
        self._troubles.clear()
        self._neighbours.close()
        for spot, held in self._held.items():
            await _tell(connection, Holds(spot), held)
        await _tell(connection, Ready())
        while True:
            try:
                heard = receive(connection)
            except BlockingIOError:
                await _readable(connection)
                continue
            if heard is None:
                return
            await self._do(server, *heard)

    async def _do(self, server: Server, message: Message, passed: socket.socket | None) -> None:
        if isinstance(message, Opened) and passed is not None:
            await self._open(server, message.spot, passed)
        elif isinstance(message, Closed):
            self._close(server, message.spot)
        elif isinstance(message, Trouble):
            self._troubles.pop(message.namespace, None)
            if message.why is not None:
                self._troubles[message.namespace] = message.why
        elif isinstance(message, UpToDate):
            self._found()

    async def _open(self, server: Server, spot: ListenAddress, passed: socket.socket) -> None:
        place = place_of(spot.namespace)
        if spot.host == NEIGHBOURS and place is not None:
            self._neighbours.opened(place, passed)
        elif place is None or spot in self._held or server.stopping:
            passed.close()
        else:
            listener = Listener(
                passed,
                self._handler,
                _name(spot),
                stands_for=place,
                counted_as=kind_of(spot.namespace),
            )
            self._held[spot] = passed
            await server.add(listener)

    def _close(self, server: Server, spot: ListenAddress) -> None:
        place = place_of(spot.namespace)
        if spot.host == NEIGHBOURS and place is not None:
            self._neighbours.closed(place)
        elif self._held.pop(spot, None) is not None and not server.stopping:
            leaving = asyncio.create_task(server.remove(_name(spot)))
            self._leaving.add(leaving)
            leaving.add_done_callback(self._leaving.discard)

    def _found(self) -> None:
        if self._away is not None:
            LOG.info("%d addresses from the broker at %s", len(self._held), self._broker)
        self._away = None
        self._level.set()

    def _lost(self, why: str) -> None:
        said = f"the broker at {self._broker} cannot be asked: {why}; is it running?"
        if said != self._away:
            LOG.warning("%s What is listened on stays.", said)
        self._away = said


async def _tell(
    connection: socket.socket, message: Message, passed: socket.socket | None = None
) -> None:
    while True:
        try:
            send(connection, message, passed)
        except BlockingIOError:
            await _writable(connection)
        else:
            return


async def _readable(connection: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    await _once(connection, loop.add_reader, loop.remove_reader)


async def _writable(connection: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    await _once(connection, loop.add_writer, loop.remove_writer)


async def _once(
    connection: socket.socket,
    add: Callable[..., None],
    remove: Callable[[socket.socket], object],
) -> None:
    happened = asyncio.Event()
    add(connection, happened.set)
    try:
        await happened.wait()
    finally:
        remove(connection)


def _name(spot: ListenAddress) -> str:
    return f"{spot}#{spot.network}"
