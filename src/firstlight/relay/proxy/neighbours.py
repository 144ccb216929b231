"""The neighbour tables of the namespaces: to which MAC the kernel sends what is for an address.

rtnetlink(7); linux/neighbour.h. One entry is asked for by its interface and address
(RTM_GETNEIGH without a dump, Linux 5.0), so that a look costs the same in a table of any size.
"""

import os
import socket
import struct

from firstlight.relay.contract import Guest, Origin, Via

#: The kernel sends what is for the address to no MAC that it knows, or by way of a gateway.
NO_ENTRY = ""

_HEADER = struct.Struct("=IHHII")  # nlmsghdr
_NEIGHBOUR = struct.Struct("=BBHiHBB")  # ndmsg: family, padding, index, state, flags, type
_ROUTE = struct.Struct("=8BI")  # rtmsg: family, length of the destination, ..., flags
_ATTRIBUTE = struct.Struct("=HH")
# Whole questions, by the length of an address: nlmsghdr, ndmsg or rtmsg, one attribute.
_ASK_NEIGHBOUR = {length: struct.Struct(f"=IHHIIBBHiHBBHH{length}s") for length in (4, 16)}
_ASK_ROUTE = {length: struct.Struct(f"=IHHII8BIHH{length}s") for length in (4, 16)}
_INDEX = struct.Struct("=i")
_GET_ROUTE, _NEW_ROUTE = 26, 24  # RTM_GETROUTE, RTM_NEWROUTE
_GET_NEIGHBOUR, _NEW_NEIGHBOUR = 30, 28  # RTM_GETNEIGH, RTM_NEWNEIGH
_REQUEST = 0x1  # NLM_F_REQUEST
_FAMILIES = {4: socket.AF_INET, 16: socket.AF_INET6}  # by the length of an address
_TO, _LEAVES_BY, _GATEWAY, _VIA = 1, 4, 5, 18  # RTA_DST, RTA_OIF, RTA_GATEWAY, RTA_VIA
_ADDRESS, _LINK_ADDRESS = 1, 2  # NDA_DST, NDA_LLADDR
# NUD_REACHABLE, _STALE, _DELAY, _PROBE, _PERMANENT: the states in which a MAC is sent to. Not
# NUD_NOARP, which no neighbour has answered for.
_SENT_TO = 0x02 | 0x04 | 0x08 | 0x10 | 0x80
_MAC = 6
_LONGEST = 4096  # bytes of an answer, which has some 100


class Neighbours:
    """Asks the kernel, by sockets that the broker has opened in the namespaces.

    To be used on one thread. The kernel answers while it is asked, so nothing waits here but for
    the kernel's own lock.
    """

    def __init__(self) -> None:
        self._tables: dict[Origin, _Table] = {}

    def opened(self, place: Origin, asking: socket.socket) -> None:
        """From now on `asking` tells of that place; what told before is closed."""
        self.closed(place)
        self._tables[place] = _Table(asking, one_network=place.via is not Via.ROUTER)

    def closed(self, place: Origin) -> None:
        """Nothing tells of that place any more."""
        before = self._tables.pop(place, None)
        if before is not None:
            before.close()

    def close(self) -> None:
        """Nothing tells of any place any more."""
        for place in tuple(self._tables):
            self.closed(place)

    def look(self, guest: Guest, interface: int = 0) -> str | None:
        """The MAC (lower case, colons) to which a reply to the guest is sent now.

        Args:
            interface: index of the one that the reply leaves by; 0: the one that the routes say.

        Returns:
            NO_ENTRY if there is none, or the kernel does not say; None if the table of the place
            cannot be seen from here, or if the address is link-local and the interface unknown.
        """
        table = self._tables.get(guest.place)
        address = guest.address.packed
        if table is None or (not interface and _is_link_local(address)):
            return None
        try:
            return table.mac_of(address, interface)
        except OSError:  # ENOBUFS, say; or another process with this socket took the answer
            return NO_ENTRY


class _Table:
    """The neighbour table of one namespace.

    Two processes may share the socket while one takes over from the other. So an answer counts
    only if it is of this question, and says so itself.

    Args:
        one_network: every device here is on the same network, so that any that shows the address
            will do: the route is asked for once, and not for each guest.
    """

    def __init__(self, asking: socket.socket, *, one_network: bool) -> None:
        asking.setblocking(False)
        self._asking = asking
        self._one_network = one_network
        self._device = 0  # where an address was found last, if there is one network
        self._sequence = int.from_bytes(os.urandom(4))

    def close(self) -> None:
        self._asking.close()

    def mac_of(self, address: bytes, interface: int) -> str:
        known = interface or self._device
        mac = self._entry(address, known) if known else NO_ENTRY
        if mac or interface:
            return mac
        index = self._leaves_by(address)
        if not index or index == known:
            return NO_ENTRY
        mac = self._entry(address, index)
        if mac and self._one_network:
            self._device = index
        return mac

    def _entry(self, address: bytes, index: int) -> str:
        length = len(address)
        ask = _ASK_NEIGHBOUR[length]
        sequence = self._next()
        question = ask.pack(
            *(ask.size, _GET_NEIGHBOUR, _REQUEST, sequence, 0),
            *(_FAMILIES[length], 0, 0, index, 0, 0, 0),
            *(_ATTRIBUTE.size + length, _ADDRESS, address),
        )
        answer = self._answer(question, sequence, _NEW_NEIGHBOUR)
        return NO_ENTRY if answer is None else _mac(answer, index, address)

    def _leaves_by(self, address: bytes) -> int:
        """Index of the interface that the address is a neighbour on; 0: it is on none."""
        length = len(address)
        ask = _ASK_ROUTE[length]
        sequence = self._next()
        question = ask.pack(
            *(ask.size, _GET_ROUTE, _REQUEST, sequence, 0),
            *(_FAMILIES[length], 8 * length, 0, 0, 0, 0, 0, 0, 0),
            *(_ATTRIBUTE.size + length, _TO, address),
        )
        answer = self._answer(question, sequence, _NEW_ROUTE)
        if answer is None:
            return 0
        attributes = _attributes(answer, _HEADER.size + _ROUTE.size)
        if attributes.get(_TO) != address or _GATEWAY in attributes or _VIA in attributes:
            return 0
        index: int = _INDEX.unpack(attributes.get(_LEAVES_BY, bytes(4)))[0]
        return index

    def _next(self) -> int:
        self._sequence = (self._sequence + 1) & 0xFFFFFFFF
        return self._sequence

    def _answer(self, question: bytes, sequence: int, wanted: int) -> bytes | None:
        """The one answer, header and all; None: the kernel says no.

        Raises:
            OSError: there is no answer.
        """
        self._asking.send(question)
        while True:
            data = self._asking.recv(_LONGEST)
            _, kind, _, of, _ = _HEADER.unpack_from(data)
            if of == sequence:
                return data if kind == wanted else None


def _is_link_local(address: bytes) -> bool:
    """Of IPv6: fe80::/10, as ipaddress says too, at a tenth of the cost."""
    return len(address) > 4 and address[0] == 0xFE and address[1] & 0xC0 == 0x80


def _mac(answer: bytes, index: int, address: bytes) -> str:
    """The MAC of an entry that is in use, if it is that of this address on this interface."""
    _, _, _, of, state, _, _ = _NEIGHBOUR.unpack_from(answer, _HEADER.size)
    attributes = _attributes(answer, _HEADER.size + _NEIGHBOUR.size)
    mac = attributes.get(_LINK_ADDRESS, b"")
    known = state & _SENT_TO and len(mac) == _MAC
    same = of == index and attributes.get(_ADDRESS) == address
    return mac.hex(":") if known and same else NO_ENTRY


def _attributes(data: bytes, at: int) -> dict[int, bytes]:
    found = {}
    while at + _ATTRIBUTE.size <= len(data):
        length, kind = _ATTRIBUTE.unpack_from(data, at)
        found[kind] = data[at + _ATTRIBUTE.size : at + length]
        at += (max(length, _ATTRIBUTE.size) + 3) & ~3
    return found
