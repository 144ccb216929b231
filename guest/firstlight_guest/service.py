"""The metadata service: asked with patience, never without an end."""

import http.client
import socket
from contextlib import closing
from typing import Callable, List, NamedTuple, Optional, TypeVar
from urllib.parse import urlsplit

from .deadline import Deadline, pauses
from .errors import CouldNotAsk, GuestError, NotThere
from .reaching import IPV4, IPV6, Connected, Way, connect, ways

_LONGEST_ANSWER = 8 << 20  # bytes; user data is 48 KiB, vendor data is whatever a target says
_CONNECT = 3.0  # seconds
_READ = 10.0  # seconds between two parts of an answer: what cloud-init waits
_LONGEST_PAUSE = 30.0  # seconds that a Retry-After may ask for
_WHOLE = 60.0  # seconds for a whole answer
_LEAST = 0.2  # seconds for a last try
_AGAIN = (408, 429, 500, 502, 503, 504)

T = TypeVar("T")


class Reply(NamedTuple):
    """An answer."""

    status: int
    body: bytes
    retry_after: float


class NotNow(Exception):
    """An answer that may be another one in a moment."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(f"the metadata service answered {reply.status}")
        self.pause = min(reply.retry_after, _LONGEST_PAUSE)


class Service:
    """The metadata service, by whichever way leads there.

    Args:
        deadline: how long questions are asked again, all together.
        where: the ways there are at the moment.
    """

    def __init__(self, deadline: Deadline, where: Callable[[], List[Way]] = ways) -> None:
        self.deadline = deadline
        self.way: Optional[Way] = None
        self._where = where

    def get(self, path: str) -> bytes:
        """The bytes of one document.

        Raises:
            NotThere: it has none of that name.
            CouldNotAsk: nothing, or nothing useful, answered before the deadline.
        """
        reply = self._patiently(lambda: self._once("GET", path))
        if reply.status == 200:
            return reply.body
        if reply.status == 404:
            raise NotThere(f"the metadata service has no {path}")
        raise CouldNotAsk(f"the metadata service answered GET {path} with {reply.status}")

    def keep_way(self) -> None:
        """Go no other way from now on than the one that led here last.

        Raises:
            CouldNotAsk: see :meth:`find`.
        """
        way = self.find()
        self._where = lambda: [way]

    def post(self, path: str, body: bytes) -> int:
        """Send this once, for it may be heard without an answer; returns the status.

        Raises:
            CouldNotAsk: there was no answer.
        """
        self.find()
        try:
            return self._once("POST", path, body).status
        except (NotNow, OSError, http.client.HTTPException) as error:
            raise CouldNotAsk(f"POST {path}: {error}") from error

    def find(self) -> Way:
        """The way that leads to the service.

        Raises:
            CouldNotAsk: none did before the deadline.
        """
        return self.way or self._patiently(self._look)

    def _patiently(self, ask: Callable[[], T]) -> T:
        for pause in pauses():
            try:
                return ask()
            except NotNow as busy:
                failure, wait = str(busy), max(pause, busy.pause)
            except (OSError, http.client.HTTPException) as error:
                self.way = None  # an interface may have come, or gone
                failure, wait = str(error) or type(error).__name__, pause
            if not self.deadline.pause(wait):
                raise CouldNotAsk(failure)
        raise AssertionError("pauses never end")

    def _once(self, method: str, path: str, body: Optional[bytes] = None) -> Reply:
        way = self.way or self._look()
        for connected in connect([way], Deadline(_CONNECT)):
            reply = _exchange(connected, method, path, body)
            if reply.status in _AGAIN:
                raise NotNow(reply)
            return reply
        raise ConnectionError(f"{way} takes no connection")

    def _look(self) -> Way:
        """Take the first way that answers as the service does.

        What answers otherwise may not know this guest yet: a port that is being bound, a cell that
        is being read.
        """
        busy: Optional[NotNow] = None
        silent: Optional[Way] = None
        patience = max(_LEAST, min(_CONNECT, self.deadline.left()))
        among = self._where()
        for connected in connect(among, Deadline(patience)):
            try:
                reply = _exchange(connected, "GET", "/openstack", None)
            except socket.timeout:
                silent = connected.way
                continue
            except (OSError, http.client.HTTPException):
                continue
            if reply.status == 200 and reply.body:
                self.way = connected.way
                return self.way
            busy = NotNow(reply)
        if busy is None and silent is not None:
            raise ConnectionError(f"{silent} takes a connection, and then nothing answers")
        if busy is None and not among:
            raise ConnectionError(f"there is no route to {IPV4} or {IPV6}")
        raise busy or ConnectionError(f"nothing answered on {IPV4} or {IPV6}")


def at(url: str) -> Callable[[], List[Way]]:
    """The one way that a URL such as ``http://127.0.0.1:8775`` names.

    Raises:
        GuestError: it is no such URL.
    """
    try:
        parts = urlsplit(url)
        port = parts.port or 80
    except ValueError as error:
        raise GuestError(f"{url!r} is no URL: {error}") from error
    if parts.scheme != "http" or not parts.hostname or parts.path.strip("/"):
        raise GuestError(f"{url!r} should be http://HOST[:PORT]")
    host, _, interface = parts.hostname.partition("%")
    return lambda: [Way(host, port, interface)]


def _exchange(connected: Connected, method: str, path: str, body: Optional[bytes]) -> Reply:
    way, opened = connected
    host = f"[{way.host}]" if ":" in way.host else way.host
    with closing(opened), closing(http.client.HTTPConnection(way.host, way.port)) as connection:
        opened.settimeout(_READ)
        connection.sock = opened
        connection.request(method, path, body, {"Host": host, "User-Agent": "firstlight-guest"})
        answer = connection.getresponse()
        return Reply(answer.status, _all(answer), _seconds(answer.getheader("Retry-After")))


def _all(answer: http.client.HTTPResponse) -> bytes:
    """The body, neither too long nor too slow, nor cut off."""
    data, deadline = b"", Deadline(_WHOLE)
    while True:
        part = answer.read1(1 << 16)
        data += part
        if not part:
            break
        if len(data) > _LONGEST_ANSWER or not deadline.left():
            raise http.client.HTTPException(
                f"the answer passes {_LONGEST_ANSWER} bytes or {_WHOLE} s"
            )
    if answer.length:
        raise http.client.IncompleteRead(data, answer.length)
    return data


def _seconds(header: Optional[str]) -> float:
    return float(header) if header and header.isdigit() else 0.0
