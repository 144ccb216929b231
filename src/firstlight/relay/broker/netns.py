"""What is done inside a network namespace: looking at its addresses, opening sockets."""

import array
import errno
import fcntl
import logging
import os
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from firstlight.httpd.sockets.listening import BACKLOG
from firstlight.relay.broker.kernel import enter_network, network_of
from firstlight.relay.namespaces import METADATA_IPV4, METADATA_IPV6

LOG = logging.getLogger(__name__)

_ADDRESSES_CHANGE = 0x10 | 0x100  # RTMGRP_IPV4_IFADDR, RTMGRP_IPV6_IFADDR: rtnetlink(7)
_TENTATIVE_OR_DUPLICATE = 0x40 | 0x08  # IFA_F_TENTATIVE, IFA_F_DADFAILED: linux/if_addr.h
# Of this thread, which is the one that moves.
_NETWORK_HERE = Path("/proc/thread-self/ns/net")
_IPV6_ADDRESSES = Path("/proc/thread-self/net/if_inet6")
_LOST = 70  # EX_SOFTWARE
_SIOCGIFCONF = 0x8912
_IFCONF = struct.Struct("iP")  # struct ifconf: bytes of room, and where
_IFREQ = 40  # struct ifreq: 16 bytes of name, then a sockaddr_in


@contextmanager
def inside(namespace: Path) -> Iterator[None]:
    """Be in this namespace until the end of the block; for one thread at a time.

    A process that cannot come back ends at once: it must never take one network for another.

    Raises:
        OSError: there is no such file; it is no namespace (EINVAL), not yet or not any more; or it
            may not be entered.
    """
    home = os.open(_NETWORK_HERE, os.O_RDONLY | os.O_CLOEXEC)
    try:
        # Without O_NONBLOCK a pipe of that name would hold up everything.
        there = os.open(namespace, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            enter_network(there)
        finally:
            os.close(there)
        try:
            yield
        finally:
            _return(home)
    finally:
        os.close(home)


def _return(home: int) -> None:
    try:
        enter_network(home)
    except OSError:
        LOG.critical("cannot come back from a network namespace; ending", exc_info=True)
        os._exit(_LOST)


def this_network() -> int:
    """Which network namespace this thread is in; see :func:`network_of`."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as any_socket:
        return network_of(any_socket)


def has_metadata_ipv4() -> bool:
    """Whether an interface here has 169.254.169.254.

    To bind to it would be no proof: where there are no routes yet, any address can be bound to.
    """
    wanted = socket.inet_aton(METADATA_IPV4)
    return any(address == wanted for address in _ipv4_addresses())


def _ipv4_addresses() -> list[bytes]:
    """All of them: SIOCGIFCONF, netdevice(7)."""
    room = 4096
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        while True:
            entries = array.array("B", bytes(room))
            question = _IFCONF.pack(room, entries.buffer_info()[0])
            length, _ = _IFCONF.unpack(fcntl.ioctl(asking, _SIOCGIFCONF, question))
            if length + _IFREQ <= room:  # else there may be more of them
                break
            room *= 4
    found = entries[:length].tobytes()
    return [found[at + 20 : at + 24] for at in range(0, length, _IFREQ)]


def devices_with_metadata_ipv6() -> Iterator[int]:
    """Indexes of the interfaces that have fe80::a9fe:a9fe and may use it."""
    try:
        lines = _IPV6_ADDRESSES.read_text().splitlines()
    except FileNotFoundError:  # the kernel has no IPv6
        return
    wanted = socket.inet_pton(socket.AF_INET6, METADATA_IPV6).hex()
    for line in lines:
        address, index, _prefix, _scope, flags, _name = line.split()
        if address == wanted and not int(flags, 16) & _TENTATIVE_OR_DUPLICATE:
            yield int(index, 16)


def listening(host: str, port: int, device: int) -> socket.socket:
    """A listening socket here; ``::`` is IPv4 as well, and only that where IPv6 is off."""
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        opened = socket.socket(family, socket.SOCK_STREAM)
    except OSError as error:
        if host == "::" and error.errno == errno.EAFNOSUPPORT:
            return listening("0.0.0.0", port, 0)  # noqa: S104  (of a router's namespace)
        raise
    try:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, int(host != "::"))
        opened.bind((host, port, 0, device) if family == socket.AF_INET6 else (host, port))
        opened.listen(BACKLOG)
    except OSError:
        opened.close()
        raise
    return opened


def bell() -> socket.socket:
    """A socket that becomes readable when an address here appears, changes or vanishes."""
    opened = _netlink()
    try:
        opened.bind((0, _ADDRESSES_CHANGE))
    except OSError:
        opened.close()
        raise
    return opened


def neighbours() -> socket.socket:
    """A socket that can be asked for the neighbours here, by whoever has it."""
    return _netlink()


def _netlink() -> socket.socket:
    kind = socket.SOCK_RAW | socket.SOCK_NONBLOCK
    return socket.socket(socket.AF_NETLINK, kind, socket.NETLINK_ROUTE)
