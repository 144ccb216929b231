"""One metadata service: its connections, and whether it answers."""

import asyncio
import logging
from collections import Counter
from typing import NamedTuple

from firstlight.relay.upstream.address import Address
from firstlight.relay.upstream.connection import (
    ConnectionBroken,
    UpstreamAnswer,
    UpstreamConnection,
)

LOG = logging.getLogger(__name__)

# RFC 9110 §9.2.2: whoever asks these twice has asked once.
_REPEATABLE = frozenset(("GET", "HEAD", "OPTIONS", "PUT", "DELETE"))
# Seconds for which an idle connection is believed in; firewalls forget idle ones silently.
_FRESH = 30.0
_FIRST_BACK_OFF = 0.5
_MAX_BACK_OFF = 15.0


class UpstreamRequest(NamedTuple):
    """A request to pass on: `fields` are header lines, each with its CRLF, without Host."""

    method: str
    target: str
    fields: str
    body: bytes = b""

    @property
    def repeatable(self) -> bool:
        """Whether it may be asked again although it may have arrived."""
        return self.method in _REPEATABLE


class UpstreamFailure(Exception):
    """There is no response; the message says why, for the log.

    `status` is what the guest gets. `sent`: the request may have arrived.
    """

    status = 502
    sent = True


class ConnectionRefused(UpstreamFailure):
    """It could not be connected to."""

    status = 503
    sent = False


class ConnectTimeout(UpstreamFailure):
    """It did not accept a connection in time."""

    status = 504
    sent = False


class ResponseTimeout(UpstreamFailure):
    """It did not answer in time."""

    status = 504


class UpstreamReset(UpstreamFailure):
    """It closed the connection instead of answering."""


class BadResponse(UpstreamFailure):
    """What it sent is no response, or too large to be passed on."""


class UpstreamClient:
    """Asks one metadata service over connections that are kept.

    To be used on one event loop. At most `connections` are open; requests past that wait for one.
    `max_body` bounds a response, in bytes. `connect_timeout` is in seconds.
    """

    def __init__(
        self, address: Address, *, connections: int, connect_timeout: float, max_body: int
    ) -> None:
        self.address = address
        self.asked = 0
        self.asked_at = 0.0  # of the loop's clock
        self.open = 0  # connections that are used now
        self.failures: Counter[str] = Counter()
        self.away_until = 0.0  # of the loop's clock; 0.0: it answers
        self._back_off = 0.0
        self._trouble: str | None = None
        self._connect_timeout = connect_timeout
        self._max_body = max_body
        self._idle: list[UpstreamConnection] = []
        self._connections = connections
        self._places: asyncio.Semaphore | None = None

    def trouble(self) -> str | None:
        """Why it could not be asked when it was asked last; None: it could."""
        return self._trouble

    async def ask(self, question: UpstreamRequest, until: float) -> UpstreamAnswer:
        """Its response, by `until` (of the loop's clock).

        Raises:
            UpstreamFailure: there is none.
        """
        self.asked += 1
        self.asked_at = asyncio.get_running_loop().time()
        try:
            answer = await self._ask(question, until)
        except UpstreamFailure as failure:
            self._failed(failure)
            raise
        self._answered()
        return answer

    def close(self) -> None:
        """Let go of idle connections."""
        while self._idle:
            self._idle.pop().close()

    async def _ask(self, question: UpstreamRequest, until: float) -> UpstreamAnswer:
        if self._places is None:
            self._places = asyncio.Semaphore(self._connections)
        try:
            async with asyncio.timeout_at(until):
                async with self._places:
                    return await self._ask_by_a_line(question)
        except TimeoutError as error:
            raise ResponseTimeout("it did not answer in time") from error

    async def _ask_by_a_line(self, question: UpstreamRequest) -> UpstreamAnswer:
        line = self._kept() if question.repeatable else None
        if line is not None:
            try:
                return await self._ask_by(line, question)
            except ConnectionBroken as broken:
                if not broken.silent:
                    raise BadResponse(str(broken)) from broken
                # It was closed while nobody used it, most likely; on a new one we shall see.
                self.close()
        try:
            return await self._ask_by(await self._connected(), question)
        except ConnectionBroken as broken:
            raise (UpstreamReset if broken.silent else BadResponse)(str(broken)) from broken

    async def _ask_by(self, line: UpstreamConnection, question: UpstreamRequest) -> UpstreamAnswer:
        self.open += 1
        try:
            answer = await line.ask(self._message(question), head=question.method == "HEAD")
        finally:
            self.open -= 1
        if line.open:
            line.since = asyncio.get_running_loop().time()
            self._idle.append(line)
        return answer

    def _message(self, question: UpstreamRequest) -> bytes:
        method, target, fields, body = question
        length = f"Content-Length: {len(body)}\r\n" if body or method in ("POST", "PUT") else ""
        host = self.address.authority
        head = f"{method} {target} HTTP/1.1\r\nHost: {host}\r\n{fields}{length}\r\n"
        return head.encode("latin-1") + body

    def _kept(self) -> UpstreamConnection | None:
        """The connection that was used last, if it is still good."""
        while self._idle:
            line = self._idle.pop()
            if line.open and line.since + _FRESH > asyncio.get_running_loop().time():
                return line
            line.close()
        return None

    async def _connected(self) -> UpstreamConnection:
        try:
            async with asyncio.timeout(self._connect_timeout):
                return await self.address.connect(self._max_body)
        except TimeoutError as error:
            why = f"it did not accept a connection in {self._connect_timeout:g} s"
            raise ConnectTimeout(why) from error
        except OSError as error:
            raise ConnectionRefused(str(error)) from error

    def _answered(self) -> None:
        if self._trouble is not None:
            LOG.info("metadata service %s answers again", self.address)
        self._trouble = None
        self._back_off = self.away_until = 0.0

    def _failed(self, failure: UpstreamFailure) -> None:
        """Remember it. One that is slow or garbled is not away: it may be one guest's data."""
        self.failures[type(failure).__name__.lower()] += 1
        if self._trouble is None:
            LOG.warning("metadata service %s: %s", self.address, failure)
        self._trouble = str(failure)
        if isinstance(failure, ResponseTimeout | BadResponse):
            return
        now = asyncio.get_running_loop().time()
        if now >= self.away_until:  # the others that failed at the same moment are no news
            self._back_off = min(2 * self._back_off or _FIRST_BACK_OFF, _MAX_BACK_OFF)
            self.away_until = now + self._back_off
