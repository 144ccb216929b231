"""Many guests that boot at once: each asks in order, all of them at the same time."""

import re
import select
import socket
import time
from collections.abc import Sequence
from statistics import quantiles

from bench.load import Load
from bench.process import Server

Boot = Sequence[tuple[bytes, int]]  # what a guest sends, and the status it must get

_LENGTH = re.compile(rb"\r\nContent-Length: (\d+)\r\n", re.IGNORECASE)
_CLOSE = re.compile(rb"\r\nConnection: close\r\n", re.IGNORECASE)


class _Guest:
    """One boot, on one connection as long as the service keeps it."""

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
            self._hang_up()
            return False
        request, self._status = following
        self._asked_at, self._answer = time.perf_counter(), b""
        if self.socket is None:
            self.socket = socket.create_connection(("127.0.0.1", self._port))
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
        self.times.append(time.perf_counter() - self._asked_at)
        self.errors += not (whole and head.startswith(b"HTTP/1.1 %d " % self._status))
        if not chunk or _CLOSE.search(head + b"\r\n"):
            self._hang_up()
        return True

    def _hang_up(self) -> None:
        if self.socket is not None:
            self.socket.close()
            self.socket = None


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
    asking: dict[int, _Guest] = {}
    with select.epoll() as poll:

        def ask(guest: _Guest) -> None:
            kept = guest.socket
            if guest.ask():
                assert guest.socket is not None
                asking[guest.socket.fileno()] = guest
                if guest.socket is not kept:  # closing a socket has taken it out of `poll`
                    poll.register(guest.socket, select.EPOLLIN)

        for guest in guests:
            ask(guest)
        while asking:
            for number, _event in poll.poll():
                guest = asking[number]
                if guest.read():
                    del asking[number]
                    ask(guest)
