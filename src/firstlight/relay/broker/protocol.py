"""What the broker and a serving process say to each other, with the sockets they pass.

One message is one packet of a unix SOCK_SEQPACKET connection, in JSON, with at most one descriptor
beside it. A serving process first says what it :class:`Holds`, from a broker before this one, and
then that this is all (:class:`Ready`). The broker says what is :class:`Opened` from then on and
what is :class:`Closed`, and first of all when it has told everything (:class:`UpToDate`).
"""

import array
import os
import socket

import msgspec
from msgspec import Struct

from firstlight.relay.namespaces import ListenAddress

_MOST_BYTES = 4096
_DESCRIPTOR = array.array("i").itemsize
NEIGHBOURS = "neighbours"  # instead of a host: a netlink socket


class Holds(Struct, frozen=True, tag="holds"):
    """A serving process has this listening socket, which comes along."""

    spot: ListenAddress


class Ready(Struct, frozen=True, tag="ready"):
    """A serving process holds nothing else."""


class Opened(Struct, frozen=True, tag="opened"):
    """Guests can ask here; the listening socket comes along.

    With the host "neighbours" it is a netlink socket, to be asked for the neighbours there.
    """

    spot: ListenAddress


class Closed(Struct, frozen=True, tag="closed"):
    """Nobody asks here any more."""

    spot: ListenAddress


class Trouble(Struct, frozen=True, tag="trouble"):
    """What keeps the broker from listening in a namespace; None: nothing does any more."""

    namespace: str
    why: str | None


class UpToDate(Struct, frozen=True, tag="level"):
    """The broker has told everything that it knows."""


Message = Holds | Ready | Opened | Closed | Trouble | UpToDate

_ENCODER = msgspec.json.Encoder()
_DECODER: msgspec.json.Decoder[Message] = msgspec.json.Decoder(Message)


class BadMessage(Exception):
    """The other end says what it may not."""


def send(connection: socket.socket, message: Message, passed: socket.socket | None = None) -> None:
    """Send one message, and a socket with it.

    Raises:
        BlockingIOError: the other end is behind.
        OSError: it is gone.
    """
    descriptors = [] if passed is None else [passed.fileno()]
    socket.send_fds(connection, [_ENCODER.encode(message)], descriptors, socket.MSG_NOSIGNAL)


def receive(connection: socket.socket) -> tuple[Message, socket.socket | None] | None:
    """The next message and the socket that came with it; None: the other end is gone.

    Raises:
        BlockingIOError: there is none now.
        BadMessage: it is none of these messages, or has more or fewer sockets than it should.
    """
    data, ancillary, flags, _ = connection.recvmsg(
        _MOST_BYTES, socket.CMSG_SPACE(4 * _DESCRIPTOR), socket.MSG_CMSG_CLOEXEC
    )
    sockets = _sockets(ancillary)
    if not data:
        _close(sockets)
        return None
    try:
        return _whole(data, flags, sockets)
    except (msgspec.MsgspecError, BadMessage) as error:
        _close(sockets)
        raise BadMessage(str(error)) from error


def _whole(
    data: bytes, flags: int, sockets: list[socket.socket]
) -> tuple[Message, socket.socket | None]:
    message = _DECODER.decode(data)
    if flags & (socket.MSG_TRUNC | socket.MSG_CTRUNC):
        raise BadMessage("a message is too long")
    if len(sockets) != isinstance(message, Holds | Opened):
        raise BadMessage(f"{type(message).__name__} came with {len(sockets)} sockets")
    return message, sockets[0] if sockets else None


def _sockets(ancillary: list[tuple[int, int, bytes]]) -> list[socket.socket]:
    passed = array.array("i")
    for level, kind, data in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            passed.frombytes(data[: len(data) - len(data) % _DESCRIPTOR])
    return [each for each in map(_adopted, passed) if each is not None]


def _adopted(descriptor: int) -> socket.socket | None:
    try:
        return socket.socket(fileno=descriptor)
    except OSError:  # a descriptor of something else
        os.close(descriptor)
        return None


def _close(sockets: list[socket.socket]) -> None:
    for each in sockets:
        each.close()
