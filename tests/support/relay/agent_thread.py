"""The agent in a thread with guests it knows, and upstreams that do as they are told."""

import socket
import threading
import time
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager
from ipaddress import ip_address

from firstlight.relay import responses
from firstlight.relay.agent.handler import AgentHandler
from firstlight.relay.contract import Found, Guest, Nobody, Origin, Via
from firstlight.relay.upstream.address import TcpUpstream
from firstlight.relay.upstream.balancer import Balancer
from firstlight.relay.upstream.client import UpstreamClient
from support.servers.http_server import Serving
from support.servers.http_server import answers as parsed

NETWORK = "7a9c5c2e-0b51-4b0e-9b2e-3d0c6a0f1c11"
ROUTER = "0d4fd0a5-2f0c-4c6e-8a9c-5f5d7a1b2c22"
INSTANCE = "aaaaaaaa-1111-4111-8111-111111111111"
PROJECT = "bbbbbbbb222242228222222222222222"
FOUND = Found(INSTANCE, PROJECT, "port-1", "fa:16:3e:12:34:56")
SECRET = "s3cret"
ADDRESS = "192.0.2.10"


def guest(address=ADDRESS, via=Via.NETWORK, place=NETWORK):
    """A guest at an address."""
    return Guest(Origin(via, place), ip_address(address))


class Known:
    """Recognises by a dictionary; what is `kept` is known at once, other guests are asked about.

    `later` answers some time after the question.
    """

    def __init__(self, guests=None, *, later=False):
        self.guests = {guest(): FOUND} if guests is None else guests
        self.kept = {}
        self.later = later
        self.asked = []

    def find(self, who, connection):
        return self.kept.get(who) or self.again(who, connection)

    def again(self, who, _connection):
        self.asked.append(who)
        found = self.guests.get(who, Nobody())
        future = Future()
        if self.later:
            threading.Timer(0.01, future.set_result, [found]).start()
        else:
            future.set_result(found)
        return future

    def stale(self, who, _connection):
        return None


@contextmanager
def an_agent(
    *ports, recognition=None, deadline=5.0, place=None, connections=64, max_body=1 << 20, **options
):
    """An agent in front of upstreams at these ports of 127.0.0.1; yields what serves it."""
    upstreams = Balancer(
        [
            UpstreamClient(
                TcpUpstream("127.0.0.1", port) if isinstance(port, int) else port,
                connections=connections,
                connect_timeout=2.0,
                max_body=max_body,
            )
            for port in ports
        ]
    )
    agent = AgentHandler(
        recognition or Known(),
        upstreams,
        secret=SECRET,
        deadline=deadline,
        clock=time.monotonic,
    )
    with Serving(agent.handle, stands_for=place, refusal=responses.refused, **options) as serving:
        serving.agent = agent
        serving.upstreams = upstreams
        try:
            yield serving
        finally:
            serving.run(upstreams.close)


def head(*lines, method="GET", target="/openstack", network=NETWORK, address=ADDRESS):
    """A request as a proxy in a namespace sends it, with these header lines of the guest's."""
    fields = ["Host: 169.254.169.254", *lines]
    fields += [f"X-Neutron-Network-ID: {network}"] if network else []
    fields += [f"X-Forwarded-For: {address}"] if address else []
    fields += ["Connection: close"]
    return (
        f"{method} {target} HTTP/1.1\r\n".encode()
        + "".join(f"{field}\r\n" for field in fields).encode("latin-1")
        + b"\r\n"
    )


def ask(serving, *lines, body=b"", **how):
    """One request; its one answer."""
    [answer] = parsed(serving.talk(head(*lines, **how) + body), how.get("method", "GET"))
    return answer


class Upstreamed:
    """A server of one thread per connection that sends what `script` yields for each request.

    `script(request, connection)` returns the bytes of a whole response, or None to hang up.
    """

    def __init__(self, script, *, hang_up=False, port=0):
        self.port = port
        self.hang_up = hang_up  # after each response
        self.requests = []
        self.connections = 0
        self._script = script
        self._stack = ExitStack()

    def __enter__(self):
        self._listening = self._stack.enter_context(socket.create_server(("127.0.0.1", self.port)))
        self.port = self._listening.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *exc):
        self._listening.shutdown(socket.SHUT_RDWR)
        self._stack.close()

    def _accept(self):
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(
                target=self._talk, args=(connection, self.connections), daemon=True
            ).start()

    def _talk(self, connection, number):
        with connection, connection.makefile("rb") as reading:
            while (request := _read(reading)) is not None:
                self.requests.append(request)
                try:
                    response = self._script(request, number)
                    if response is None:
                        return
                    connection.sendall(response)
                    if self.hang_up:
                        return
                except OSError:
                    return


def _read(reading):
    lines = []
    try:
        while (line := reading.readline()) not in (b"\r\n", b""):
            lines.append(line.decode("latin-1").rstrip("\r\n"))
    except OSError:
        return None
    if not lines:
        return None
    length = next((int(x.split(":")[1]) for x in lines if x.startswith("Content-Length:")), 0)
    return lines, reading.read(length)


def sent_to(upstream):
    """The last request's first line, headers and body."""
    (first, *lines), body = upstream.requests[-1]
    pairs = [line.split(": ", 1) for line in lines]
    headers = {name.lower(): value for name, value in pairs}
    assert len(headers) == len(pairs), "a header twice"
    return first, headers, body


def responding(response, **how):
    """An upstream that always sends these bytes."""
    return Upstreamed(lambda request, number: response, **how)


def plain(status=200, body=b"hello", *lines):
    """A response."""
    fields = "".join(f"{line}\r\n" for line in lines)
    first = f"HTTP/1.1 {status} X\r\nContent-Type: text/plain\r\nContent-Length: {len(body)}\r\n"
    return (first + fields + "\r\n").encode("latin-1") + body
