"""A server as a process: one generation of a service, with or without a master above it.

SIGTERM and SIGINT end it when what was asked is answered.
"""

import os
from collections.abc import Mapping, MutableMapping

from firstlight.httpd.process.start import begin
from firstlight.httpd.process.supervisor import Supervisor
from firstlight.httpd.process.worker import Build, serve
from firstlight.httpd.sockets.listening import Address


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
