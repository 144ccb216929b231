"""Where requests come in, and who answers them there."""

import socket
import ssl
from dataclasses import dataclass
from typing import Any

from firstlight.httpd.limits import Limits
from firstlight.httpd.protocol.messages import Handler, Hot


@dataclass(frozen=True, slots=True, eq=False)
class Listener:
    """A bound socket, and what it stands for.

    The server owns the socket from then on, and closes it when it stops.
    """

    socket: socket.socket
    handler: Handler
    name: str  # in the access log and the metrics; unique within a server
    stands_for: Any = None  # arrives as `Request.listener`: a network, a router, …
    tls: ssl.SSLContext | None = None  # with verify_mode CERT_REQUIRED, only known clients get in
    trust_request_id: bool = False  # for listeners that only other services reach
    hot: Hot | None = None  # asked before the handler, which must answer whatever this cannot
    keep_alive: bool = True  # False: a connection ends with its first answer
    counted_as: str = ""  # in the metrics, for listeners that come and go; "": its name
    limits: Limits | None = None  # what its clients may cost; None: the server's
