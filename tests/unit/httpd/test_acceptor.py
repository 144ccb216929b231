"""What accepts the connections of one listener, on a real socket."""

import asyncio
import time

from firstlight.httpd.listener import Listener
from firstlight.httpd.protocol.messages import Request, Response
from firstlight.httpd.server import Server
from firstlight.httpd.sockets.listening import Tcp


def test_a_closed_one_does_not_accept_again() -> None:
    """Deadlines are looked after until the server has ended; that opens no listener again."""

    async def close_and_sweep() -> None:
        server = Server([Listener(Tcp("127.0.0.1", 0).open(), _hello, "test")])
        [acceptor] = server._acceptors.values()
        await acceptor.open()
        await acceptor.close()
        await acceptor.sweep(time.monotonic())

    asyncio.run(close_and_sweep())


def _hello(_request: Request) -> Response:
    return Response(200, b"hello", "text/plain")
