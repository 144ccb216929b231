"""Telling systemd how we are: the protocol of sd_notify(3), which is one datagram."""

from _socket import AF_UNIX, SOCK_CLOEXEC, SOCK_DGRAM, socket
from collections.abc import Mapping


def notify(state: str, environ: Mapping[str, str]) -> None:
    """Send `state` (``READY=1``) to the service manager; nothing happens if there is none.

    A manager that cannot be reached is no reason to stop serving: it has a timeout of its own.
    """
    address = environ.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        return
    manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC)
    try:
        manager.connect(address.replace("@", "\0", 1) if address[0] == "@" else address)
        manager.sendall(state.encode())
    except OSError:
        return
    finally:
        manager.close()
