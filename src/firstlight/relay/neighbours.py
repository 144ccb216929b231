"""The neighbour tables of the namespaces: which MAC has an address there, as the kernel saw it.

rtnetlink(7), RTM_GETNEIGH; linux/neighbour.h.
"""

import socket
import struct
import threading
from collections.abc import Iterator

from firstlight.relay.contract import Guest, Place

_HEADER = struct.Struct("=IHHII")  # nlmsghdr
_NEIGHBOUR = struct.Struct("=BBHiHBB")  # ndmsg: family, padding, index, state, flags, type
_ATTRIBUTE = struct.Struct("=HH")
_GET, _NEW = 30, 28  # RTM_GETNEIGH, RTM_NEWNEIGH
_REQUEST_DUMP = 0x1 | 0x300  # NLM_F_REQUEST, NLM_F_DUMP
_FAMILIES = {4: socket.AF_INET, 16: socket.AF_INET6}  # by the length of an address
_DESTINATION, _LINK_ADDRESS = 1, 2  # NDA_DST, NDA_LLADDR
_UNKNOWN = 0x01 | 0x20  # NUD_INCOMPLETE, NUD_FAILED
_PATIENCE = 1.0  # seconds; the kernel answers at once
_MAC = 6


class Neighbours:
    """Asks the kernel, by sockets that the broker has opened in the namespaces."""

    def __init__(self) -> None:
        self._tables: dict[Place, _Table] = {}

    def opened(self, place: Place, asking: socket.socket) -> None:
        """From now on `asking` tells of that place; what told before is closed."""
        self.closed(place)
        self._tables[place] = _Table(asking)

    def closed(self, place: Place) -> None:
        """Nothing tells of that place any more."""
        before = self._tables.pop(place, None)
        if before is not None:
            before.close()

    def close(self) -> None:
        """Nothing tells of any place any more."""
        for place in tuple(self._tables):
            self.closed(place)

    def still_there(self, guest: Guest, mac: str) -> bool:
        """Whether the guest's address belongs to this MAC (lower case, colons) there, by ARP or ND.

        Not known is False. May be called on any thread; it takes milliseconds at most.
        """
        table = self._tables.get(guest.place)
        try:
            return table is not None and mac in table.macs_of(guest.address.packed)
        except OSError:
            return False


class _Table:
    """The neighbour table of one namespace."""

    def __init__(self, asking: socket.socket) -> None:
        asking.settimeout(_PATIENCE)
        self._asking = asking
        self._sequence = 0
        self._lock = threading.Lock()  # one question at a time

    def close(self) -> None:
        with self._lock:
            self._asking.close()

    def macs_of(self, address: bytes) -> set[str]:
        """Who has this address; several interfaces may show several."""
        with self._lock:
            return {mac for known, mac in self._dumped(len(address)) if known == address}

    def _dumped(self, length: int) -> Iterator[tuple[bytes, str]]:
        self._sequence += 1
        body = _NEIGHBOUR.pack(_FAMILIES[length], 0, 0, 0, 0, 0, 0)
        head = _HEADER.pack(_HEADER.size + len(body), _GET, _REQUEST_DUMP, self._sequence, 0)
        self._asking.send(head + body)
        while True:
            for kind, sequence, body in _messages(self._asking.recv(65536)):
                if sequence != self._sequence:
                    continue  # of a question that was given up
                if kind != _NEW:
                    return
                yield from _neighbour(body)


def _messages(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    at = 0
    while at + _HEADER.size <= len(data):
        length, kind, _, sequence, _ = _HEADER.unpack_from(data, at)
        yield kind, sequence, data[at + _HEADER.size : at + length]
        at += _aligned(length)


def _neighbour(body: bytes) -> Iterator[tuple[bytes, str]]:
    """Its address and MAC, if it has both."""
    state = _NEIGHBOUR.unpack_from(body)[4]
    attributes = dict(_attributes(body[_NEIGHBOUR.size :]))
    mac = attributes.get(_LINK_ADDRESS, b"")
    if not state & _UNKNOWN and _DESTINATION in attributes and len(mac) == _MAC:
        yield attributes[_DESTINATION], mac.hex(":")


def _attributes(data: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at + _ATTRIBUTE.size <= len(data):
        length, kind = _ATTRIBUTE.unpack_from(data, at)
        yield kind, data[at + _ATTRIBUTE.size : at + length]
        at += _aligned(max(length, _ATTRIBUTE.size))


def _aligned(length: int) -> int:
    return (length + 3) & ~3
