"""Many guests at once, each with one question after another."""

import re
import select
import socket
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from statistics import quantiles

from bench.load import Load
from bench.process import Server

Question = tuple[bytes, int]  # what a guest sends, and the status it must get
Boot = Iterable[Question]

_LENGTH = re.compile(rb"\r\nContent-Length: (\d+)\r\n", re.IGNORECASE)
_CLOSE = re.compile(rb"\r\nConnection: close\r\n", re.IGNORECASE)


class Guest:
    """One boot, on one connection as long as the service keeps it.

    Attributes:
        left: what it has still to ask.
        times: seconds until each good answer, connections and bad answers before it included.
        errors: answers that were not whole, or not of the status that was wanted.
    """

    def __init__(self, connect: Callable[[], socket.socket], boot: Boot = ()) -> None:
        self._connect = connect
        self.left = iter(boot)
        self._status = 0
        self._asking_since = 0.0  # 0: it is not
        self._answer = b""
        self.times: list[float] = []
        self.errors = 0
        self.socket: socket.socket | None = None

    def ask(self) -> bool:
        """Send what comes next; False if that was all."""
        following = next(self.left, None)
        if following is None:
            self._hang_up()
            return False
        request, self._status = following
        self._asking_since = self._asking_since or time.perf_counter()
        self._answer = b""
        if self.socket is None:
            self.socket = self._connect()
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.sendall(request)
        return True

    def read(self) -> bool:
        """Take what has come; True if that was the end of the answer."""
        assert self.socket is not None
        try:
            chunk = self.socket.recv(65536)
        except ConnectionResetError:
            chunk = b""
        self._answer += chunk
        head, _, body = self._answer.partition(b"\r\n\r\n")
        length = _LENGTH.search(head + b"\r\n")
        whole = length is not None and len(body) == int(length.group(1))
        if chunk and not whole:
            return False
        if whole and head.startswith(b"HTTP/1.1 %d " % self._status):
            self.times.append(time.perf_counter() - self._asking_since)
            self._asking_since = 0.0
        else:
            self.errors += 1
        if not chunk or _CLOSE.search(head + b"\r\n"):
            self._hang_up()
        return True

    def _hang_up(self) -> None:
        if self.socket is not None:
            self.socket.close()
            self.socket = None


def storm(server: Server, boots: Sequence[Boot]) -> Load:
    """Let all of them boot; until the last one has its last answer."""
    connect = partial(socket.create_connection, ("127.0.0.1", server.port))
    guests = [Guest(connect, boot) for boot in boots]
    cpu, began = server.cpu(), time.perf_counter()
    run(guests)
    return summed(guests, time.perf_counter() - began, server.cpu() - cpu)


def summed(guests: Iterable[Guest], seconds: float, cpu: float) -> Load:
    """What they were told in `seconds`, for so many seconds of `cpu`."""
    guests = list(guests)
    times = [each for guest in guests for each in guest.times]
    if len(times) < 2:
        raise SystemExit("the guests have got no answers")
    marks = quantiles(times, n=100)
    errors = sum(guest.errors for guest in guests)
    return Load(len(times) / seconds, marks[49], marks[98], cpu / len(times), errors)


def run(guests: Iterable[Guest], *, at_once: int = 0) -> None:
    """Let the guests ask until none has a question left.

    `at_once` of them wait for an answer at any time; whoever has got one goes to the end of the
    queue. 0: all of them do.
    """
    queue = deque(guests)
    asking: dict[int, Guest] = {}
    with select.epoll() as poll:

        def ask_next() -> None:
            while queue:
                guest = queue.popleft()
                if guest.ask():
                    assert guest.socket is not None
                    asking[guest.socket.fileno()] = guest
                    poll.register(guest.socket, select.EPOLLIN)
                    return

        for _ in range(at_once or len(queue)):
            ask_next()
        while asking:
            for number, _event in poll.poll():
                guest = asking[number]
                kept = guest.socket
                if guest.read():
                    del asking[number]
                    if guest.socket is kept:  # closing it has taken it out of `poll`
                        poll.unregister(number)
                    queue.append(guest)
                    ask_next()
