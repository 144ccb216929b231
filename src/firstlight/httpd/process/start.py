"""What every process that serves begins with, whatever it serves with."""

import resource
from collections.abc import Mapping, MutableMapping
from socket import socket

from firstlight.httpd.process.control import Control
from firstlight.httpd.sockets import listening
from firstlight.httpd.sockets.listening import Address


def begin(
    addresses: Mapping[str, Address], environ: MutableMapping[str, str]
) -> tuple[Control, dict[str, socket]]:
    """The way to the master, and a socket for each address, which the master is told of.

    Raises:
        CannotListen: an address cannot be listened on.
    """
    control = Control(environ)
    opened = listening.open_all(addresses, environ)
    for name, each in opened.items():
        control.listens(name, str(addresses[name]), each)
    _allow_many_files()
    return control, opened


def _allow_many_files() -> None:
    """As many open files as this user may have; the usual 1024 are fewer than our connections."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
