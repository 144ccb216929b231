"""A server as a process: one generation of a service, with or without a master above it.

SIGTERM and SIGINT end it when what was asked is answered.
"""

import os
import resource
from collections.abc import Mapping, MutableMapping
from socket import socket

from firstlight.wire import sockets
from firstlight.wire.process.control import Control
from firstlight.wire.process.supervisor import Supervisor
from firstlight.wire.process.worker import Build, serve
from firstlight.wire.sockets import Address


def run(
    build: Build,
    addresses: Mapping[str, Address],
    *,
    workers: int = 1,
    environ: MutableMapping[str, str] | None = None,
) -> int:
    """Listen on `addresses` and serve until told to stop; returns the exit code.

    Raises:
        CannotListen: an address cannot be listened on.
    """
    control, opened = begin(addresses, os.environ if environ is None else environ)
    if workers > 1:
        return Supervisor(build, opened, workers, control).run()
    serve(build, opened, control.attend, control.ready)
    return 0


def begin(
    addresses: Mapping[str, Address], environ: MutableMapping[str, str]
) -> tuple[Control, dict[str, socket]]:
    """The way to the master, and a socket for each address, which the master is told of.

    Raises:
        CannotListen: an address cannot be listened on.
    """
    control = Control(environ)
    opened = sockets.open_all(addresses, environ)
    for name, each in opened.items():
        control.listens(name, str(addresses[name]), each)
    _allow_many_files()
    return control, opened


def _allow_many_files() -> None:
    """As many open files as this user may have; the usual 1024 are fewer than our connections."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
