"""Vendordata targets that answer in each of the ways a target can, and remember who asked."""

import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

_JSON = "application/json"
# path -> status, Content-Type, body
_ANSWERS = {
    "/object": (200, _JSON, b'{"enable_sriov": true, "cloud-init": "na\\u00efve"}'),
    "/list": (201, "text/html", b"[1, 2.5, null]"),
    "/string": (202, _JSON, b'"#cloud-config\\n{}"'),
    "/null": (200, _JSON, b"null"),
    "/empty": (200, _JSON, b""),
    "/no-content": (204, None, b""),
    "/not-json": (200, _JSON, b"#cloud-config\n{}"),
    "/refuses": (401, _JSON, b'{"secret": "leak"}'),
    "/missing": (404, _JSON, b'{"secret": "leak"}'),
    "/breaks": (500, _JSON, b'{"secret": "leak"}'),
}
# path -> Location
_MOVED = {"/moved": "{here}/object", "/moved-relative": "/object"}


class Request(NamedTuple):
    """What a target was asked."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


class Targets(http.server.ThreadingHTTPServer):
    """Serves on loopback at a port of its own."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self.seen: list[Request] = []


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Targets

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.seen.append(Request(self.command, self.path, dict(self.headers), body))
        if self.path in _MOVED:
            location = _MOVED[self.path].format(here=self.server.url)
            self._reply(307, None, b"", {"Location": location})
        else:
            self._reply(*_ANSWERS[self.path], {})

    def _reply(self, status: int, kind: str | None, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if kind is not None:
            self.send_header("Content-Type", kind)
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Quiet."""


@contextmanager
def running() -> Iterator[Targets]:
    """Targets until the end of the block."""
    with Targets() as targets:
        thread = threading.Thread(target=targets.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield targets
        finally:
            targets.shutdown()
            thread.join()
