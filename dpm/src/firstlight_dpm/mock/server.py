"""The console behind HTTPS: reads requests, bounds them, and writes answers."""

import json
import logging
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple

from firstlight_dpm.mock.console import Console
from firstlight_dpm.mock.faults import Dropped
from firstlight_dpm.mock.machine import MACHINES, Machine
from firstlight_dpm.mock.refusal import Refusal, unless
from firstlight_dpm.mock.request import Request

LOG = logging.getLogger(__name__)

_LARGEST_BODY = 1 << 20
_IDLE_SECONDS = 120


class Served(NamedTuple):
    """A mock that answers: where, who may ask, and the console to look into."""

    host: str
    port: int
    ca_file: Path
    username: str
    password: str
    console: Console

    @property
    def machine(self) -> Machine:
        """Which machine it has; its ids fill ``[dpm]``."""
        return self.console.machine

    @property
    def options(self) -> dict[str, str]:
        """What ``[dpm]`` of both services needs to find this machine."""
        return {
            "hmc": self.host,
            "hmc_port": str(self.port),
            "hmc_username": self.username,
            "hmc_password": self.password,
            "hmc_ca_file": str(self.ca_file),
            "cpc_object_id": self.machine.cpc,
        }


@contextmanager
def serve(
    machine: str,
    directory: Path,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    username: str = "openstack",
    password: str = "openstack",  # noqa: S107 - there is nothing behind it
    job_seconds: float = 0,
) -> Iterator[Served]:
    """An HMC with a machine of that generation, until the block ends; port 0 is a free one."""
    # Late, because it needs the extra, and the command's help does not.
    from firstlight_dpm.mock.certificate import certificate

    console = Console(
        MACHINES[machine], username=username, password=password, job_seconds=job_seconds
    )
    ca_file, key = certificate(directory.absolute(), host)
    server = _Server((host, port), console, _context(ca_file, key))
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield Served(host, server.server_address[1], ca_file, username, password, console)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _context(ca_file: Path, key: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(ca_file, key)
    return context


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, address: tuple[str, int], console: Console, context: ssl.SSLContext) -> None:
        super().__init__(address, _Handler)
        self.console = console
        self.context = context

    def get_request(self) -> tuple[socket.socket, Any]:
        """The handshake is left to the connection's own thread."""
        connection, address = super().get_request()
        connection.settimeout(_IDLE_SECONDS)
        wrapped = self.context.wrap_socket(
            connection, server_side=True, do_handshake_on_connect=False
        )
        return wrapped, address

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002  socketserver's signature
        """A client that goes away, or does not trust the certificate, is no news."""
        LOG.debug("A connection from %s broke", client_address, exc_info=True)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server
    # One answer, one packet: otherwise each waits 40 ms for the client's acknowledgement.
    wbufsize = -1
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        self._answer("GET")

    def do_POST(self) -> None:
        self._answer("POST")

    def do_DELETE(self) -> None:
        self._answer("DELETE")

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - http.server's name
        LOG.debug("%s %s", self.address_string(), format % args)

    def _answer(self, method: str) -> None:
        try:
            status, body = self._carried_out(method)
        except Refusal as refusal:
            status, body = refusal.status, self._said(method, refusal)
        except Dropped:
            self.close_connection = True
            return
        except Exception:
            # The thread's boundary: one request's defect must not end the mock.
            LOG.exception("%s %s", method, self.path)
            status, body = 500, self._said(method, Refusal(500, 0, "The mock has a defect"))
        self._write(status, body)

    def _carried_out(self, method: str) -> tuple[int, Any]:
        uri, _, query = self.path.partition("?")
        request = Request(method, uri, query, self._body())
        console = self.server.console
        if not uri.startswith("/mock/"):
            request.faults = console.faults_for(request)
        for fault in request.faults:
            time.sleep(fault.delay)
            fault.strike()
        return console.answer(request, self.headers.get("X-API-Session"))

    def _body(self) -> Any:
        length = self.headers.get("Content-Length", "0")
        if not length.isdecimal() or int(length) > _LARGEST_BODY:
            self.close_connection = True
            raise Refusal(413, 0, f"At most {_LARGEST_BODY} bytes")
        content = self.rfile.read(int(length))
        try:
            body = json.loads(content) if content else {}
        except ValueError:
            raise Refusal(400, 2, "The body is not JSON") from None
        unless(isinstance(body, dict), 400, 2, "The body is not a JSON object")
        return body

    def _said(self, method: str, refusal: Refusal) -> dict[str, Any]:
        return {
            "request-method": method,
            "request-uri": self.path,
            "http-status": refusal.status,
            "reason": refusal.reason,
            "message": refusal.message,
        }

    def _write(self, status: int, body: Any) -> None:
        content = b"" if body is None else json.dumps(body, default=_uri).encode()
        self.send_response(status)
        if body is not None:
            self.send_header("Content-Type", "application/json")
        if status != 204:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def _uri(resource: Any) -> str:
    # zhmcclient's mock answers with a resource in one place where an HMC answers with its URI.
    return str(resource.uri)
