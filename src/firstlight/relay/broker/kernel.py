"""Linux calls that Python 3.11 has no function for. See the manual pages that are named."""

import ctypes
import os
import socket
import struct

_CLONE_NEWNET = 0x40000000  # setns(2)
_IN_NONBLOCK_CLOEXEC = os.O_NONBLOCK | os.O_CLOEXEC  # inotify_init1(2)
_SO_NETNS_COOKIE = 71  # socket(7), Linux 5.14
_COOKIE = struct.Struct("=Q")

_LIBC = ctypes.CDLL(None, use_errno=True)


def enter_network(namespace: int) -> None:
    """Move this thread into the network namespace that the descriptor refers to: setns(2).

    Raises:
        OSError: it is none, or this process may not (CAP_SYS_ADMIN).
    """
    _checked(_LIBC.setns(namespace, _CLONE_NEWNET))


def watch_directory(path: str, mask: int) -> int:
    """A descriptor that is readable when something in `mask` happened to `path`: inotify(7).

    Raises:
        OSError: there is no such directory, or no watch is left (fs.inotify.max_user_instances).
    """
    descriptor = _checked(_LIBC.inotify_init1(_IN_NONBLOCK_CLOEXEC))
    try:
        _checked(_LIBC.inotify_add_watch(descriptor, os.fsencode(path), mask))
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def network_of(opened: socket.socket) -> int:
    """Which network namespace a socket is in: a number that is never given again.

    Raises:
        OSError: the kernel is older than 5.14.
    """
    cookie: int = _COOKIE.unpack(
        opened.getsockopt(socket.SOL_SOCKET, _SO_NETNS_COOKIE, _COOKIE.size)
    )[0]
    return cookie


def peer_user(connection: socket.socket) -> int:
    """The user id of the process at the other end of a unix socket: SO_PEERCRED, unix(7)."""
    credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
    _, user, _ = struct.unpack("=iII", credentials)
    return int(user)


def _checked(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result
