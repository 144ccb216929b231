"""One connection: requests are answered in the order they came, and nobody waits for ever."""

import asyncio
import logging
from collections import deque
from concurrent.futures import Future
from time import monotonic
from typing import TYPE_CHECKING, NamedTuple, cast

from firstlight.httpd.plain_listener import InlineTransport
from firstlight.httpd.protocol import refusals
from firstlight.httpd.protocol.messages import Request, Response
from firstlight.httpd.protocol.parser import CLOSE, PIECE, RequestParser
from firstlight.httpd.protocol.refusals import Rejection, RequestRejected
from firstlight.httpd.protocol.response_head import CONTINUE, render

if TYPE_CHECKING:
    from firstlight.httpd.acceptor import Acceptor

LOG = logging.getLogger(__name__)

# Bytes that are read and thrown away at once for a peer that was refused and goes on sending; past
# them a read in a while is all, so that it costs next to nothing.
_SPILL = 256 * 1024


class _Turn(NamedTuple):
    """A request (or the refusal of what cannot be read) and how to answer it."""

    request: Request
    keep: str
    started: float
    refusal: Rejection | None = None


class Connection(asyncio.Protocol):
    """What one peer sends and is sent.

    `deadline` is when :meth:`expire` is due; the server's sweep looks at it. For `remembered` and
    `scope` see :class:`~firstlight.httpd.protocol.messages.KeptConnection`.
    """

    __slots__ = (
        "_at",
        "_choked",
        "_closing",
        "_continue_due",
        "_deaf",
        "_ended",
        "_future",
        "_lingers_until",
        "_peer",
        "_queue",
        "_reader",
        "_spilt",
        "_transport",
        "_turn",
        "_unread",
        "deadline",
        "remembered",
        "scope",
    )

    def __init__(self, at: "Acceptor") -> None:
        self._at = at
        self._transport = cast(asyncio.Transport, None)  # until the connection is made
        self._reader = RequestParser(at.limits, self._deliver, self._proceed, at.bodies)
        self._unread: memoryview | None = None  # what came behind the piece that was read
        self._queue: deque[_Turn] | None = None  # turns behind an unfinished one
        self._turn: _Turn | None = None  # the one whose answer is being looked up
        self._future: Future[Response] | None = None
        self._choked = False  # the peer does not take what it was sent
        self._deaf = False  # what still comes is not read
        self._closing = False
        self._ended = False  # the peer sends no more
        self._continue_due = False
        self._lingers_until = 0.0
        self.remembered: object = None
        self.scope = 0

    # What the event loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        at = self._at
        before = self._transport
        self._transport = cast(asyncio.Transport, transport)
        if isinstance(before, InlineTransport):
            before.hand_over(self._transport)
            return
        self._peer, self.scope = at.peer_of(self._transport)
        self.deadline = monotonic() + at.limits.head_time
        at.enter(self)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  asyncio's signature
        self._closing = self._deaf = True
        if self._turn is not None:
            self._drop_answer()
        if self._unread is not None:
            self._drop_unread()
        if self._queue:
            self._at.bodies.give_back(sum(len(turn.request.body) for turn in self._queue))
        self._queue = None
        self._reader.forget()
        self._at.leave(self)

    def data_received(self, data: bytes) -> None:
        if self._deaf or len(data) > PIECE or self._unread is not None:
            self._put_by(data)
            return
        now = monotonic()
        try:
            self._reader.feed(data, now)
        except RequestRejected as refused:
            self._refuse(refused.refusal)
        self._settle(now)

    def eof_received(self) -> bool:
        """Stay for what was asked; the peer may have closed its sending half only."""
        while self._unread is not None:
            self._read_piece(self._unread)
        if self._reader.started and not self._deaf:
            self._refuse(refusals.CUT_SHORT)
        self._deaf = self._ended = True
        # TLS has no half-closed connections.
        return bool(self._turn or self._choked) and not self._at.tls

    def pause_writing(self) -> None:
        self._choked = True
        self._transport.pause_reading()
        self.deadline = monotonic() + self._at.limits.write_time

    def resume_writing(self) -> None:
        self._choked = False
        self._go_on()

    # Reading: a large read is read on between other work, so that it keeps no other peer waiting.

    def _put_by(self, data: bytes) -> None:
        """Read the first piece, and have the others read on, where there is room to keep them."""
        at = self._at
        if self._deaf:
            self._spill(len(data))
        elif self._unread is not None:  # the transport began to read after it was told not to
            at.bodies.count(len(data))
            self._unread = memoryview(bytes(self._unread) + data)
            self._transport.pause_reading()
        elif at.bodies.take(len(data)):
            self._unread = memoryview(data)
            self._transport.pause_reading()
            self._read_on()
        else:
            for first in range(0, len(data), PIECE):
                self.data_received(data[first : first + PIECE])

    def _read_on(self) -> None:
        if self._unread is not None:
            self._read_piece(self._unread)
        if self._unread is not None:
            self._at.turns.add(self._read_on)
        elif not (self._deaf or self._choked):
            self._transport.resume_reading()

    def _read_piece(self, unread: memoryview) -> None:
        piece = bytes(unread[:PIECE])
        self._at.bodies.give_back(len(piece))
        self._unread = None
        self.data_received(piece)
        if len(unread) > PIECE:
            self._unread = unread[PIECE:]
            if self._deaf:
                self._drop_unread()

    def _drop_unread(self) -> None:
        if self._unread is not None:
            self._at.bodies.give_back(len(self._unread))
            self._unread = None

    def _spill(self, size: int) -> None:
        """Throw away what is not read; past a bound only as fast as :meth:`expire` comes round."""
        if self._lingers_until:
            self._spilt += size
            if self._spilt <= _SPILL:
                return
        self._transport.pause_reading()

    # What the reader calls.

    def _deliver(  # noqa: PLR0917  (keywords cost on the hot path)
        self,
        method: str,
        target: str,
        headers: dict[bytes, bytes],
        body: bytes,
        keep: str,
        started: float,
    ) -> bool:
        at = self._at
        request = Request(
            method,
            target,
            headers,
            body,
            peer=self._peer,
            listener=at.stands_for,
            id=at.make_id(headers),
            connection=self,
        )
        if keep is CLOSE or not at.keep_alive:
            self._deaf = True
        if self._turn is None and not self._choked:
            self._ask(request, keep, started)
            return not self._deaf
        return self._wait_in_line(_Turn(request, keep, started))

    def _proceed(self) -> None:
        if self._turn is None and not self._choked:
            self._transport.write(CONTINUE)
        else:
            self._continue_due = True  # after the answers that come before it

    # Turns.

    def _ask(self, request: Request, keep: str, started: float) -> None:
        try:
            answer = self._at.first(request)
        except Exception:  # noqa: BLE001  (the boundary between the HTTP server and the service)
            answer = self._crashed(request)
        if isinstance(answer, Response):
            self._send(request, answer, keep, started)
            return
        turn = self._turn = _Turn(request, keep, started)
        self._at.counts.in_flight += 1
        self._at.bodies.count(len(request.body))
        self.deadline = monotonic() + self._at.limits.answer_time
        if answer is None:
            self._at.turns.add(lambda: self._begin(turn))
        else:
            self._follow(answer)

    def _begin(self, turn: _Turn) -> None:
        """Ask the handler what was not hot, unless nobody waits for it any more."""
        if turn is not self._turn:
            return
        try:
            answer = self._at.handler(turn.request)
        except Exception:  # noqa: BLE001  (the boundary between the HTTP server and the service)
            answer = self._crashed(turn.request)
        if isinstance(answer, Response):
            self._finish(turn, answer)
        else:
            self._follow(answer)

    def _follow(self, future: Future[Response]) -> None:
        self._future = future
        future.add_done_callback(self._fulfilled)

    def _fulfilled(self, future: Future[Response]) -> None:
        """Called by the thread that looked the answer up."""
        try:
            self._at.turns.add_from_thread(lambda: self._complete(future))
        except RuntimeError:
            LOG.debug("an answer came after the event loop had ended")

    def _complete(self, future: Future[Response]) -> None:
        turn = self._turn
        if turn is None or future is not self._future:
            return  # nobody waits for it any more
        try:
            response = future.result()
        except Exception:  # noqa: BLE001  (the boundary between the HTTP server and the service)
            response = self._crashed(turn.request)
        self._finish(turn, response)

    def _finish(self, turn: _Turn, response: Response) -> None:
        self._drop_answer()
        self._send(turn.request, response, turn.keep, turn.started)
        self._go_on()

    def _go_on(self) -> None:
        queue = self._queue
        while queue and self._turn is None and not self._choked and not self._closing:
            turn = queue.popleft()
            self._at.bodies.give_back(len(turn.request.body))
            if turn.refusal is None:
                self._ask(turn.request, turn.keep, turn.started)
            else:
                self._send_refusal(turn, turn.refusal)
        if self._closing or self._turn is not None or self._choked:
            return
        if self._continue_due:
            self._continue_due = False
            self._transport.write(CONTINUE)
        if self._deaf:
            self._close()
            return
        if self._unread is None:
            self._transport.resume_reading()
        self._settle(monotonic())

    def _wait_in_line(self, turn: _Turn) -> bool:
        """Queue a turn; False if the line is full, and the connection ends with this one.

        A client may send again what was not answered (RFC 9112 §9.3.2).
        """
        queue = self._queue
        if queue is None:
            queue = self._queue = deque()
        if not self._at.bodies.take(len(turn.request.body)):
            turn.request.body = b""
            turn = turn._replace(keep=CLOSE, refusal=refusals.BODIES_FULL)
            self._deaf = True
        if len(queue) + 1 >= self._at.limits.pipeline:
            self._deaf = True
        queue.append(turn)
        return not self._deaf

    def _drop_answer(self) -> None:
        """Forget the future; it is not cancelled, because others may wait for the same one."""
        if self._turn is not None:
            self._at.counts.in_flight -= 1
            self._at.bodies.give_back(len(self._turn.request.body))
        self._future = self._turn = None

    # Answers.

    def _send(self, request: Request, response: Response, keep: str, started: float) -> None:
        if keep is CLOSE:
            self._write(request, response, CLOSE, started)
            self._close()
        elif self._at.draining or (self._deaf and not self._queue):
            # The last response, although the peer did not ask for an end: it may be sending.
            self._write(request, response, CLOSE, started)
            self._linger()
        else:
            self._write(request, response, keep, started)

    def _write(self, request: Request, response: Response, keep: str, started: float) -> None:
        at = self._at
        try:
            head = render(response, request.id, keep)
        except ValueError:
            response = self._crashed(request)
            head = render(response, request.id, keep)
        self._transport.write(head if request.method == "HEAD" else head + response.body)
        seconds = monotonic() - started
        at.counts.answered(response.status, seconds)
        if at.observe is not None:
            at.observe(request, response, seconds)

    def _crashed(self, request: Request) -> Response:
        LOG.exception("%s %s %s could not be answered", request.id, request.method, request.target)
        return self._refusal(refusals.CRASHED, request)

    def _refusal(self, refusal: Rejection, request: Request | None) -> Response:
        self._at.counts.refused[refusal.name] += 1
        return self._at.refusal(refusal.status, refusal.reason, request)

    def _refuse(self, refusal: Rejection) -> None:
        """Answer what cannot be read, after what could, and end the connection."""
        self._deaf = True
        self._reader.drop_body()
        at = self._at
        nobody = Request("-", "-", {}, peer=self._peer, listener=at.stands_for, id=at.make_id({}))
        turn = _Turn(nobody, CLOSE, self._reader.started or monotonic(), refusal)
        if self._turn is None and not self._choked:
            self._send_refusal(turn, refusal)
        else:
            self._wait_in_line(turn)

    def _send_refusal(self, turn: _Turn, refusal: Rejection) -> None:
        self._write(turn.request, self._refusal(refusal, None), CLOSE, turn.started)
        self._linger()

    def _linger(self) -> None:
        """Close the sending half, and throw away what comes until the peer has read and closed.

        Closing at once would reset the connection, and the refusal might never be read
        (RFC 9112 §9.6).
        """
        if self._ended or not self._transport.can_write_eof():  # it cannot with TLS
            self._close()
            return
        self._deaf = self._closing = True
        self.deadline = monotonic()
        self._lingers_until = self.deadline + self._at.limits.linger_time
        self._spilt = 0  # bytes thrown away
        self._transport.write_eof()

    def _close(self) -> None:
        self._deaf = self._closing = True
        self.deadline = monotonic() + self._at.limits.write_time
        self._transport.close()

    # Time.

    def _settle(self, now: float) -> None:
        """Set the deadline of what is awaited now; a cold answer and a choke have set theirs."""
        if self._closing or self._turn is not None or self._choked:
            return
        at = self._at
        limits = at.limits
        reader = self._reader
        if not reader.started:
            self.deadline = now + (limits.drain_idle if at.draining else limits.idle_time)
        elif reader.body_started:
            self.deadline = reader.body_started + limits.body_time
        else:
            self.deadline = reader.started + limits.head_time

    def drain(self, now: float) -> None:
        """The server stops: the next response is the last, and it had better come soon."""
        if not (self._closing or self._turn or self._choked or self._reader.started):
            self.deadline = min(self.deadline, now + self._at.limits.drain_idle)

    def expire(self) -> None:
        """What was awaited did not come in time."""
        if monotonic() < self._lingers_until:
            self._transport.resume_reading()
        elif self._closing or self._choked:
            self._transport.abort()
        elif self._turn is not None:
            self._answer_late(self._turn)
        elif self._reader.started:
            slow = refusals.BODY_SLOW if self._reader.body_started else refusals.HEAD_SLOW
            self._refuse(slow)
        else:
            self._close()

    def _answer_late(self, turn: _Turn) -> None:
        self._finish(turn, self._refusal(refusals.ANSWER_LATE, turn.request))

    def abort(self) -> None:
        """End at once, whatever is unsent."""
        self._transport.abort()
