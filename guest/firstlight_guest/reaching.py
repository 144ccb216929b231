"""The ways to the metadata service: over IPv4 as routed, and over every interface by itself.

A guest may have no route to 169.254.169.254 yet, or only IPv6, and which of its interfaces leads to
the service is not known beforehand. So all ways are tried at once, and the first that answers wins.
"""

import errno
import selectors
import socket
from typing import Dict, Iterator, List, NamedTuple, Optional

from .deadline import Deadline

IPV4 = "169.254.169.254"
IPV6 = "fe80::a9fe:a9fe"
PORT = 80
_BIND_TO_DEVICE = getattr(socket, "SO_BINDTODEVICE", 25)  # <asm-generic/socket.h>


class Way(NamedTuple):
    """One address, and the interface that leads there; empty: as the routes say."""

    host: str
    port: int = PORT
    interface: str = ""

    def __str__(self) -> str:
        name = f"[{self.host}]" if ":" in self.host else self.host
        return f"{name}:{self.port}{' over ' + self.interface if self.interface else ''}"


def ways() -> List[Way]:
    """Every way this machine has at the moment."""
    interfaces = [name for _index, name in socket.if_nameindex() if name != "lo"]
    alone = [Way(host, PORT, name) for name in interfaces for host in (IPV6, IPV4)]
    return [Way(IPV4), *alone]


def connect(among: List[Way], deadline: Deadline) -> "Iterator[Connected]":
    """Those that take a connection, the quickest first, until the deadline.

    A socket that was handed out is the caller's; the others are closed with the iterator.
    """
    waiting: Dict[socket.socket, Way] = {}
    with selectors.DefaultSelector() as selector:
        try:
            for way in among:
                started = _start(way)
                if started is not None:
                    waiting[started] = way
                    selector.register(started, selectors.EVENT_WRITE)
            while waiting and deadline.left() > 0:
                for key, _events in selector.select(deadline.left()):
                    ready = key.fileobj
                    assert isinstance(ready, socket.socket)
                    selector.unregister(ready)
                    way = waiting.pop(ready)
                    if ready.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0:
                        ready.setblocking(True)
                        yield Connected(way, ready)
                    else:
                        ready.close()
        finally:
            for unused in waiting:
                unused.close()


class Connected(NamedTuple):
    """A way, and a socket that leads there."""

    way: Way
    socket: socket.socket


def _start(way: Way) -> Optional[socket.socket]:
    """A socket that is about to be connected; None where this way cannot be."""
    six = ":" in way.host
    opened = socket.socket(socket.AF_INET6 if six else socket.AF_INET, socket.SOCK_STREAM)
    try:
        opened.setblocking(False)
        if six:
            scope = socket.if_nametoindex(way.interface) if way.interface else 0
            failed = opened.connect_ex((way.host, way.port, 0, scope))
        else:
            if way.interface:  # root may
                opened.setsockopt(
                    socket.SOL_SOCKET, _BIND_TO_DEVICE, way.interface.encode() + b"\0"
                )
            failed = opened.connect_ex((way.host, way.port))
    except OSError:  # no such family, interface or right
        failed = errno.EIO
    if failed in (0, errno.EINPROGRESS):
        return opened
    opened.close()
    return None
