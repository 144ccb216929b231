"""A steady load: requests at fixed times on one connection, and how long each answer took."""

import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from statistics import quantiles
from typing import NamedTuple


class Times(NamedTuple):
    """Seconds."""

    p50: float
    p99: float
    p999: float


def ask_steadily(port: int, request: bytes, *, per_second: int, seconds: float) -> Times:
    """Send `request` `per_second` times a second, each at its own time, and wait for its answer.

    An answer that is late delays nothing in the count: its time is told from when the request was
    due, so a stall shows in every request that it held up.
    """
    times = []
    with _undisturbed(), socket.create_connection(("127.0.0.1", port)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        length = len(_exchange(connection, request, None))
        start = time.perf_counter()
        for number in range(int(per_second * seconds)):
            due = start + number / per_second
            time.sleep(max(0.0, due - time.perf_counter()))
            _exchange(connection, request, length)
            times.append(time.perf_counter() - due)
    marks = quantiles(times, n=1000)
    return Times(marks[499], marks[989], marks[998])


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Run before the load on the second core: the time this waits for a processor is not asked."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {1})
    try:
        with suppress(PermissionError):
            os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(10))
        yield
    finally:
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
        os.sched_setaffinity(0, before)


def _exchange(connection: socket.socket, request: bytes, length: int | None) -> bytes:
    """The whole response; `length` is what it is known to be, None: read it from the head."""
    connection.sendall(request)
    data = b""
    while length is None or len(data) < length:
        chunk = connection.recv(65536)
        if not chunk:
            raise ConnectionError("the server closed the connection")
        data += chunk
        if length is None:
            length = _length(data)
    return data


def _length(data: bytes) -> int | None:
    head, separator, _ = data.partition(b"\r\n\r\n")
    if not separator:
        return None
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return len(head) + 4 + int(value)
    return None
