"""The ways to the metadata service: as the routes say, or else over every interface by itself.

The cloud says by its routes which network leads to the service; on another network of the guest
anybody may answer at that address. Only a guest without a route tries every interface, all at once,
and the first that answers wins: good enough to learn a host name from, and for nothing secret.
"""

import errno
import selectors
import socket
from typing import Dict, Iterator, List, NamedTuple, Optional

from .deadline import Deadline

IPV4 = "169.254.169.254"
IPV6 = "fe80::a9fe:a9fe"
PORT = 80
_IPV6_ROUTES = "/proc/net/ipv6_route"  # destination, its length, ..., flags, interface
_NOT_OUT = 0x200 | 0x80000000  # RTF_REJECT; RTF_LOCAL: the machine's own address
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
    """The routed ways of this machine at the moment; if there is none, every way.

    A machine with one interface has one network, so IPv4 is tried there without a route as well.
    """
    interfaces = _interfaces()
    ipv4, ipv6 = _ipv4(), _ipv6()
    if ipv4 is None and len(interfaces) == 1:
        ipv4 = Way(IPV4, PORT, interfaces[0])
    alone = [Way(host, PORT, name) for name in interfaces for host in (IPV6, IPV4)]
    return [way for way in (ipv4, ipv6) if way is not None] or alone


def routed() -> List[Way]:
    """The one way to which a secret may be sent: the routed one, IPv4 before IPv6; else none.

    A neighbour on another network may announce a route over IPv6, but none over IPv4.
    """
    way = _ipv4() or _ipv6()
    return [] if way is None else [way]


def _ipv4() -> Optional[Way]:
    """As the kernel's routes say; a UDP socket sends nothing to find that out."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        try:
            asking.connect((IPV4, PORT))
        except OSError:  # ENETUNREACH; or a route that says no
            return None
    return Way(IPV4)


def _ipv6() -> Optional[Way]:
    """By the interface that has a route to this one address; or by the only one there is."""
    wanted = socket.inet_pton(socket.AF_INET6, IPV6).hex()
    named = {
        words[-1]
        for words in map(str.split, _lines(_IPV6_ROUTES))
        if words[:2] == [wanted, "80"] and not int(words[-2], 16) & _NOT_OUT
    }
    interfaces = _interfaces()
    chosen = sorted(named) or (interfaces if len(interfaces) == 1 else [])
    return Way(IPV6, PORT, chosen[0]) if len(chosen) == 1 else None


def _interfaces() -> List[str]:
    return [name for _index, name in socket.if_nameindex() if name != "lo"]


def _lines(path: str) -> List[str]:
    try:
        with open(path) as file:
            return file.read().splitlines()
    except OSError:  # the kernel has no IPv6
        return []


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
