"""The connections of one listener: accepted, counted, bounded."""

import asyncio
import select
import socket
from time import monotonic

from firstlight.httpd.body_budget import BodyBudget
from firstlight.httpd.connection import Connection
from firstlight.httpd.deferred_work import DeferredWork
from firstlight.httpd.limits import Limits
from firstlight.httpd.listener import Listener
from firstlight.httpd.monitoring.counters import Counts
from firstlight.httpd.plain_listener import Accepting, PlainListener, open_with_tls
from firstlight.httpd.protocol import request_ids
from firstlight.httpd.protocol.messages import Observer
from firstlight.httpd.protocol.refusals import MakeRefusal
from firstlight.httpd.protocol.request_ids import MakeId

# A listener that was full accepts again when this part of its connections is left.
_ROOM_AGAIN = 0.9
_SCOPE = 3  # its place in the address of an IPv6 socket


class Acceptor:
    """Makes a :class:`Connection` of whatever a listener's socket accepts.

    It accepts on a duplicate of the socket, so that it can stop and go on while connections wait
    in the kernel's queue, and another process can accept from the same queue.
    """

    def __init__(
        self,
        listener: Listener,
        *,
        limits: Limits,
        make_id: MakeId,
        refusal: MakeRefusal,
        observe: Observer | None,
        counts: Counts,
        turns: DeferredWork,
        bodies: BodyBudget,
    ) -> None:
        self.handler = listener.handler
        self.first = listener.hot or listener.handler
        self.stands_for = listener.stands_for
        self.tls = listener.tls is not None
        self.keep_alive = listener.keep_alive
        self.make_id = request_ids.trusting(make_id) if listener.trust_request_id else make_id
        self.limits = limits
        self.refusal = refusal
        self.observe = observe
        self.counts = counts
        self.turns = turns
        self.bodies = bodies
        self.draining = False
        self.connections: set[Connection] = set()
        self._listener = listener
        self._door: Accepting | None = None
        self._closing = False
        self._on_network = listener.socket.family in (socket.AF_INET, socket.AF_INET6)

    async def open(self) -> None:
        """Begin, or begin again, to accept."""
        self.turns.open(asyncio.get_running_loop())
        if self._listener.tls is None:
            self._door = PlainListener(
                self._listener.socket, self._visitor, self.limits, self.pause
            )
        else:
            self._door = await open_with_tls(
                self._listener.socket, self._visitor, self.limits, self._listener.tls
            )

    def _visitor(self) -> Connection:
        return Connection(self)

    def pause(self) -> None:
        """Leave what comes from now on in the kernel's queue."""
        if self._door is not None:
            self._door.close()
            self._door = None

    async def close(self) -> None:
        """Accept what is queued, then no more.

        Closing a listening socket resets what is in its queue, and whoever has connected and is
        about to ask: so it stays open for a moment. A queue that other processes accept from, or
        that is being filled all the time, is left after a tenth of a second.
        """
        self._closing = True
        queue = select.poll()
        queue.register(self._listener.socket, select.POLLIN)
        begun = monotonic()
        while self._door is not None and monotonic() < begun + 0.1:
            if monotonic() > begun + 0.05 and not queue.poll(0):
                break
            await asyncio.sleep(0.001)
        self.pause()
        self._listener.socket.close()

    def drain(self) -> None:
        """Tell every connection that its next response is the last."""
        self.draining = True
        now = monotonic()
        for connection in tuple(self.connections):
            connection.drain(now)

    def abort(self) -> None:
        """End every connection at once."""
        for connection in tuple(self.connections):
            connection.abort()

    async def sweep(self, now: float) -> None:
        """Look after deadlines, and accept again if there is room again."""
        for connection in tuple(self.connections):
            if connection.deadline < now:
                connection.expire()
        room = len(self.connections) < self.limits.connections * _ROOM_AGAIN
        if self._door is None and room and not self._closing:
            await self.open()

    # What a connection calls.

    def enter(self, connection: Connection) -> None:
        connections = self.connections
        connections.add(connection)
        counts = self.counts
        counts.accepted += 1
        counts.open += 1
        if len(connections) >= self.limits.connections:
            self.pause()

    def leave(self, connection: Connection) -> None:
        self.connections.discard(connection)
        self.counts.open -= 1

    def peer_of(self, transport: asyncio.Transport) -> tuple[str, int]:
        """The other end's address, as it is written elsewhere, and its scope.

        "" if it has no address; 0 if that is not a link-local one.
        """
        if not self._on_network:
            return "", 0
        name = transport.get_extra_info("peername")
        if not name:
            return "", 0
        return _plain(name[0]), name[3] if len(name) > _SCOPE else 0


def _plain(address: str) -> str:
    """Without the scope of a link-local address, and IPv4 as IPv4 on a dual-stack socket."""
    if ":" not in address:
        return address
    return address.partition("%")[0].removeprefix("::ffff:")
