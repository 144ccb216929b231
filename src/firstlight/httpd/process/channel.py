"""What the master and a generation say to each other: packets on a unix socket, with descriptors.

A packet is one of the words below and its arguments, separated by line feeds. A generation says
where it listens (each socket comes along, and the master keeps it for the next generation), that it
is ready, that its loops run, and which other sockets are to be kept. A master answers a TAKE alone.
"""

import json
import os
import signal
import sys
from _socket import (  # half a megabyte less than the module socket, in every master
    AF_UNIX,
    CMSG_SPACE,
    MSG_CMSG_CLOEXEC,
    MSG_NOSIGNAL,
    SCM_RIGHTS,
    SOCK_CLOEXEC,
    SOCK_SEQPACKET,
    SOL_SOCKET,
    socket,
    socketpair,
)
from collections.abc import Mapping

CHANNEL = "FIRSTLIGHT_CHANNEL"  # variable: the descriptor of a generation's end
BEAT = "FIRSTLIGHT_BEAT"  # variable: seconds between two BEATs
TAKES_OVER = "FIRSTLIGHT_TAKES_OVER"  # variable: set where another generation serves meanwhile
# How sockets are inherited: a JSON list of [name, address, descriptor].
INHERIT = "FIRSTLIGHT_LISTEN_FDS"

LISTENS = "listens"  # name, address; with the socket
READY = "ready"
BEATS = "beats"  # "1": every loop of the generation runs; "0": one does not
KEEP = "keep"  # name; with a socket, to be given to the next generation that takes
DROP = "drop"  # name
TAKE = "take"  # answered, when no other generation is left, by a KEEP for each, and ALONE
ALONE = "alone"

# Asked by this signal, a process writes to standard error what its threads are doing: names alone.
STACKS = signal.SIGUSR2
FINAL = 0.5  # seconds from there to SIGKILL, for a process that hangs

_MOST_BYTES = 4096
_DESCRIPTOR = 4  # bytes of a descriptor, which is a C int


def describe(held: Mapping[tuple[str, str], int]) -> str:
    """The value of :data:`INHERIT`, of descriptors by names and addresses."""
    return json.dumps([[*key, descriptor] for key, descriptor in held.items()])


def pair() -> tuple[socket, socket]:
    """Both ends of a channel, neither of which survives exec by itself."""
    return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0)


def is_master(environ: Mapping[str, str]) -> bool:
    """Whether a service's command, in this environment, is a master, no generation of one."""
    return CHANNEL not in environ


def send(channel: socket, *words: str, descriptor: int = -1) -> None:
    """Send one packet.

    Raises:
        BlockingIOError: the other end is behind, and the channel does not block.
        OSError: the other end is gone.
    """
    data = "\n".join(words).encode("utf-8", "surrogateescape")
    passed = descriptor.to_bytes(_DESCRIPTOR, sys.byteorder, signed=True)
    beside = [(SOL_SOCKET, SCM_RIGHTS, passed)] if descriptor >= 0 else []
    channel.sendmsg([data], beside, MSG_NOSIGNAL)


def receive(channel: socket) -> tuple[list[str], int]:
    """The next packet's words, and the descriptor that came with it or -1; no words at the end.

    Raises:
        BlockingIOError: there is none now.
    """
    try:
        data, beside, _, _ = channel.recvmsg(_MOST_BYTES, CMSG_SPACE(_DESCRIPTOR), MSG_CMSG_CLOEXEC)
    except ConnectionError:
        return [], -1
    if not data:
        return [], -1
    words = data.decode("utf-8", "surrogateescape").split("\n")
    return words, _first(b"".join(passed for _, kind, passed in beside if kind == SCM_RIGHTS))


def _first(passed: bytes) -> int:
    """The descriptor that came along, -1 if none did; padding has room for a second."""
    found = [
        int.from_bytes(passed[at : at + _DESCRIPTOR], sys.byteorder)
        for at in range(0, len(passed), _DESCRIPTOR)
    ]
    for surplus in found[1:]:
        os.close(surplus)
    return found[0] if found else -1
