"""The peers' trivial work: answer one ready body, whoever asks."""

import sys
from contextlib import contextmanager

from firstlight.httpd.listener import Listener
from firstlight.httpd.process.generation import run
from firstlight.httpd.protocol.messages import Request, Response
from firstlight.httpd.server import Server
from firstlight.httpd.sockets.listening import Tcp

BODY = b"x" * 2048


def application(_environ, start_response):
    """The same for WSGI (granian serves it)."""
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", "2048")])
    return [BODY]


def answer(_request: Request) -> Response:
    """A ready answer, on our wire."""
    return Response(200, BODY, b"application/json")


@contextmanager
def build(opened):
    """Our wire with nothing around it."""
    yield Server([Listener(opened["bare"], answer, "bare")])


if __name__ == "__main__":
    sys.exit(run(build, {"bare": Tcp("127.0.0.1", int(sys.argv[1]))}))
