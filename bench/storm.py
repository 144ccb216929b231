"""Many guests that boot at once: each asks in order, all of them at the same time."""

import select
import socket
import time
from collections.abc import Sequence
from contextlib import suppress
from statistics import quantiles

from bench.load import Load
from bench.process import Server

Boot = Sequence[tuple[bytes, int]]  # what a guest sends, and the status it must get


class _Guest:
    """One boot: a connection for each request, as metadata agents make them."""

    def __init__(self, port: int, boot: Boot) -> None:
        self._port = port
        self._left = iter(boot)
        self._status = 0
        self._asked_at = 0.0
        self._answer = b""
        self.times: list[float] = []
        self.errors = 0
        self.socket: socket.socket | None = None

    def ask(self) -> bool:
        """Send what comes next; False if that was all."""
        following = next(self._left, None)
        if following is None:
            self.socket = None
            return False
        request, self._status = following
        self._asked_at, self._answer = time.perf_counter(), b""
        self.socket = socket.create_connection(("127.0.0.1", self._port))
        self.socket.setblocking(False)
        self.socket.send(request)
        return True

    def read(self) -> bool:
        """Take what has come; True if that was the end of the answer."""
        assert self.socket is not None
        chunk = b""
        with suppress(ConnectionResetError):
            chunk = self.socket.recv(65536)
        self._answer += chunk
        if chunk:
            return False
        self.socket.close()
        self.times.append(time.perf_counter() - self._asked_at)
        self.errors += not self._answer.startswith(b"HTTP/1.1 %d " % self._status)
        return True


def storm(server: Server, boots: Sequence[Boot]) -> Load:
    """Let all of them boot; until the last one has its last answer."""
    guests = [_Guest(server.port, boot) for boot in boots]
    cpu, began = server.cpu(), time.perf_counter()
    _run(guests)
    seconds = time.perf_counter() - began
    times = [each for guest in guests for each in guest.times]
    marks = quantiles(times, n=100)
    return Load(
        len(times) / seconds,
        marks[49],
        marks[98],
        (server.cpu() - cpu) / len(times),
        sum(guest.errors for guest in guests),
    )


def _run(guests: Sequence[_Guest]) -> None:
    poll = select.epoll()
    asking: dict[int, _Guest] = {}

    def ask(guest: _Guest) -> None:
        if guest.ask():
            assert guest.socket is not None
            asking[guest.socket.fileno()] = guest
            poll.register(guest.socket, select.EPOLLIN)

    for guest in guests:
        ask(guest)
    while asking:
        for number, _event in poll.poll():
            guest = asking[number]
            if guest.read():  # closing has taken it out of `poll`
                del asking[number]
                ask(guest)
    poll.close()
