"""Telling systemd how we are: the protocol of sd_notify(3), which is one datagram."""

import socket
from collections.abc import Mapping


def notify(state: str, environ: Mapping[str, str]) -> None:
    """Send `state` (``READY=1``) to the service manager; nothing happens if there is none.

    A manager that cannot be reached is no reason to stop serving: it has a timeout of its own.
    """
    address = environ.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as manager:
        try:
            manager.connect(address.replace("@", "\0", 1) if address[0] == "@" else address)
            manager.sendall(state.encode())
        except OSError:
            return
