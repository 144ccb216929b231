"""A server of the wire in a thread, and a client that sends exact bytes."""

import asyncio
import socket
import threading
from typing import NamedTuple

import uvloop

from firstlight.httpd.listener import Listener
from firstlight.httpd.server import Server
from firstlight.httpd.sockets.listening import Tcp

PATIENCE = 10.0  # seconds after which a test has failed; nothing waits so long otherwise


class Serving:
    """Serves one handler on a free port of 127.0.0.1 until the end of the block."""

    def __init__(
        self,
        handler,
        *,
        address=None,
        tls=None,
        stands_for=None,
        trust=False,
        hot=None,
        kept=True,
        **server,
    ):
        opened = (address or Tcp("127.0.0.1", 0)).open()
        self.address = opened.getsockname()
        self.port = self.address[1] if isinstance(self.address, tuple) else None
        listener = Listener(opened, handler, "test", stands_for, tls, trust, hot, kept)
        self._arguments = ([listener], server)
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _run(self):
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            self._loop = runner.get_loop()
            listeners, server = self._arguments
            self.server = Server(listeners, **server)
            runner.run(self.server.serve(self._ready.set))

    def __enter__(self):
        self._thread.start()
        assert self._ready.wait(PATIENCE)
        return self

    def __exit__(self, *exc):
        self.stop()
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive(), "the server did not stop"

    def stop(self):
        """Tell it to stop; the end of the block waits until it has."""
        self.run(self.server.stop)

    def run(self, work):
        """Have its event loop do this."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(work)

    @property
    def counts(self):
        """What it has counted."""
        return self.server.counters.of("test")

    def connect(self):
        """A connected socket."""
        return socket.create_connection(self.address, timeout=PATIENCE)

    def talk(self, data, step=0, *, shut=False):
        """Send `data` in pieces of `step` bytes; everything that comes until the server closes."""
        with self.connect() as client:
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            step = step or len(data) or 1
            try:
                for first in range(0, len(data), step):
                    client.sendall(data[first : first + step])
                if shut:
                    client.shutdown(socket.SHUT_WR)
            except (BrokenPipeError, ConnectionResetError):
                pass  # refused before it had all; the answer is there to read
            return read_all(client)


class Answer(NamedTuple):
    """One response, taken apart."""

    status: int
    headers: dict[str, str]
    body: bytes


def read_all(client):
    """Everything until the peer closes."""
    received = b""
    while data := client.recv(65536):
        received += data
    return received


def answers(data, *methods):
    """The responses that `data` consists of, strictly; `methods` of the requests, default GET."""
    found = []
    while data:
        head, separator, data = data.partition(b"\r\n\r\n")
        assert separator, f"no end of the head in {head!r}"
        first, *lines = head.decode("ascii").split("\r\n")
        version, status, _ = first.split(" ", 2)
        assert version == "HTTP/1.1"
        headers = dict(line.split(": ", 1) for line in lines)
        assert len(headers) == len(lines), f"a header twice in {head!r}"
        if status == "100":
            found.append(Answer(100, headers, b""))
            continue
        method = methods[len(found)] if len(found) < len(methods) else "GET"
        bodiless = method == "HEAD" or status in ("204", "304")
        length = 0 if bodiless else int(headers["Content-Length"])
        assert len(data) >= length, "the body is shorter than it says"
        found.append(Answer(int(status), headers, data[:length]))
        data = data[length:]
    return found
