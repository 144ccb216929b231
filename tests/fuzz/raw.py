"""Bytes to the service and bytes back, as a stranger with a socket sends them."""

import re
import socket
from collections.abc import Sequence

# What a metadata agent lets through; any other status is a broken connection to the guest.
STATUSES = {200, 400, 403, 404, 409, 500, 502, 503, 504}
PATIENCE = 30  # seconds after which the service counts as hung; it ends everything in 20
_STATUS = re.compile(rb"HTTP/1\.1 (\d{3}) ")


def exchange(
    port: int,
    pieces: Sequence[bytes],
    *,
    source: str = "127.0.0.1",
    half_close: bool = True,
) -> bytes:
    """Send the pieces, one packet each, and read until the service closes.

    Raises:
        TimeoutError: it does not.
    """
    with socket.create_connection(("127.0.0.1", port), PATIENCE, (source, 0)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            for piece in pieces:
                connection.sendall(piece)
            if half_close:
                connection.shutdown(socket.SHUT_WR)
        except TimeoutError:
            raise
        except OSError:
            pass  # it has heard enough and closed; what it said before may still be read
        return _all_of(connection)


def statuses(heard: bytes) -> list[int]:
    """The status of every response in there, interim ones (1xx) left out."""
    found = [int(status) for status in _STATUS.findall(heard)]
    return [status for status in found if status >= 200]


def _all_of(connection: socket.socket) -> bytes:
    heard = bytearray()
    try:
        while chunk := connection.recv(65536):
            heard += chunk
    except ConnectionResetError:
        pass
    return bytes(heard)
