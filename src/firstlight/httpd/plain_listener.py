"""How connections come in by a listener's socket.

With TLS the event loop makes a transport for each. Without, a connection is met on the doorstep: it
is accepted, read, answered and, if that was all the peer wanted, closed again, in four system
calls. Most guests ask once and close, and a transport for each of them costs as much as the answer.
"""

import asyncio
import errno
import logging
import socket
import ssl
from collections.abc import Callable
from typing import Protocol, cast

from firstlight.httpd.limits import Limits
from firstlight.httpd.sockets.listening import duplicate

LOG = logging.getLogger(__name__)

# Connections met in one turn of the event loop; those that are kept have theirs in between.
_AT_ONCE = 16
_READ = 64 * 1024
_FLAGS = socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL
# Seconds for which the kernel keeps a connection that has said nothing to itself.
_DEFER = 1
# Unsent bytes past which asyncio's transports call a protocol choked, and under which no more.
_HIGH_WATER = 64 * 1024
_LOW_WATER = _HIGH_WATER // 4
# accept(2): the process or the machine has no room for one more; waiting is all that helps.
_NO_ROOM = frozenset((errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM))

MakeVisitor = Callable[[], asyncio.Protocol]


class Accepting(Protocol):
    """What lets connections in until it is closed."""

    def close(self) -> None: ...


async def open_with_tls(
    listening: socket.socket, visitor: MakeVisitor, limits: Limits, tls: ssl.SSLContext
) -> Accepting:
    """A door on a duplicate of the socket; asyncio shakes hands."""
    loop = asyncio.get_running_loop()
    return await loop.create_server(
        visitor,
        sock=duplicate(listening),
        backlog=limits.backlog,
        ssl=tls,
        ssl_handshake_timeout=limits.head_time,
        ssl_shutdown_timeout=limits.linger_time,
    )


class PlainListener:
    """A door on a duplicate of the socket, without TLS.

    Args:
        visitor: makes a protocol. Its `connection_made` is called with an
            :class:`InlineTransport`, and once more, with a transport, if the connection stays.
        no_room: called when the system has no descriptor or memory left for another connection;
            the door is closed then.
    """

    def __init__(
        self,
        listening: socket.socket,
        visitor: MakeVisitor,
        limits: Limits,
        no_room: Callable[[], None],
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._visitor = visitor
        self._no_room = no_room
        self._moving: set[asyncio.Task[None]] = set()
        self._open = True
        self._socket = duplicate(listening)
        self._socket.setblocking(False)
        self._family = int(listening.family)
        self._socket.listen(limits.backlog)
        if listening.family in (socket.AF_INET, socket.AF_INET6):
            # Who comes in has something to say, and whoever never does costs this process nothing.
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT, _DEFER)
        self._loop.add_reader(self._socket, self._let_in)

    def close(self) -> None:
        """Leave what comes from now on in the kernel's queue."""
        if self._open:
            self._open = False
            self._loop.remove_reader(self._socket)
            self._socket.close()

    def _let_in(self) -> None:
        """Meet those who wait, a few at a time; the event loop calls again for the others."""
        for _ in range(_AT_ONCE):
            try:
                # As socket.accept() does it, without working out family and type each time.
                number, peer = self._socket._accept()  # type: ignore[attr-defined]
            except OSError as error:
                self._nobody(error)
                return
            self._meet(socket.SocketType(self._family, socket.SOCK_STREAM, 0, number), peer)
            if not self._open:
                return

    def _nobody(self, error: OSError) -> None:
        """What accept(2) says when nobody waits, or the first in the queue has gone (Linux)."""
        if error.errno in _NO_ROOM:
            LOG.warning("no connection can be accepted for a moment: %s", error.strerror)
            self.close()
            self._no_room()

    def _meet(self, accepted: socket.SocketType, peer: object) -> None:
        visitor = self._visitor()
        step = InlineTransport(accepted, peer, visitor)
        visitor.connection_made(cast(asyncio.Transport, step))
        try:
            data = accepted.recv(_READ, socket.MSG_DONTWAIT)
        except BlockingIOError:
            pass  # it takes its time
        except OSError:  # it has gone already, or its network has
            step.abort()
        else:
            self._read(visitor, step, data)
        if step.done:
            accepted.close()
            visitor.connection_lost(None)
        else:
            self._move_in(accepted, visitor, step)

    def _read(self, visitor: asyncio.Protocol, step: "InlineTransport", data: bytes) -> None:
        try:
            if data:
                visitor.data_received(data)
            else:
                step.close()
        except Exception:  # asyncio's transports do the same for a protocol that fails
            LOG.exception("a connection failed where it was accepted, and is closed")
            step.abort()

    def _move_in(
        self, accepted: socket.SocketType, visitor: asyncio.Protocol, step: "InlineTransport"
    ) -> None:
        moving = self._loop.create_task(self._stay(accepted, visitor, step))
        self._moving.add(moving)
        moving.add_done_callback(self._moving.discard)

    async def _stay(
        self, accepted: socket.SocketType, visitor: asyncio.Protocol, step: "InlineTransport"
    ) -> None:
        kept = step.socket = socket.socket(fileno=accepted.detach())
        try:
            transport, _ = await self._loop.connect_accepted_socket(lambda: visitor, kept)
        except OSError as error:
            kept.close()
            visitor.connection_lost(error)
        else:
            step.left(transport)


class InlineTransport:
    """Does what a transport does, at once; what it cannot do at once waits for the transport."""

    __slots__ = ("_choked", "_later", "_peer", "_unsent", "_visitor", "done", "socket")

    def __init__(
        self, accepted: socket.SocketType, peer: object, visitor: asyncio.Protocol
    ) -> None:
        self.socket = accepted
        self._peer = peer
        self._visitor = visitor
        self._later: list[Callable[[asyncio.WriteTransport], None]] = []
        self._unsent = 0
        self._choked = False
        self.done = False  # it may be closed: nothing is left to do

    def get_extra_info(self, name: str) -> object:
        """The peer's address under asyncio's name; nothing else is known here."""
        return self._peer if name == "peername" else None

    def write(self, data: bytes) -> None:
        """Send what the kernel takes."""
        if not self._later:
            try:
                sent = self.socket.send(data, _FLAGS)
            except BlockingIOError:
                sent = 0
            except OSError:
                return  # the peer has gone; that is what reading will find
            if sent == len(data):
                return
            data = data[sent:]
        self._later.append(lambda transport: transport.write(data))
        self._unsent += len(data)
        if self._unsent > _HIGH_WATER and not self._choked:
            self._choked = True
            self._visitor.pause_writing()

    def close(self) -> None:
        """Close, when all is sent."""
        if self._later:
            self._later.append(lambda transport: transport.close())
        else:
            self.done = True

    def abort(self) -> None:
        """Close at once."""
        self._later.clear()
        self.done = True

    def can_write_eof(self) -> bool:
        """There is no TLS here."""
        return True

    def write_eof(self) -> None:
        """Close the sending half, when all is sent."""
        self._later.append(lambda transport: transport.write_eof())

    def pause_reading(self) -> None:
        """Nothing is read before there is a transport; see :meth:`left`."""

    def resume_reading(self) -> None:
        """Nothing is read before there is a transport."""

    def hand_over(self, transport: asyncio.Transport) -> None:
        """Have the transport do what is still to be done, before it reads anything."""
        if self.done:
            transport.abort()
            return
        for undone in self._later:
            undone(transport)
        if self._choked and transport.get_write_buffer_size() <= _HIGH_WATER:
            self._choked = False
            self._visitor.resume_writing()  # the transport never saw it choked, and will not say

    def left(self, transport: asyncio.Transport) -> None:
        """The transport reads now, although the visitor may have had enough before."""
        if self._choked and transport.get_write_buffer_size() > _LOW_WATER:
            transport.pause_reading()
