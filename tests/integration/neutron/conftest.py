"""A Neutron that says what a test wants it to, and what it was asked; and our client of it."""

import json
import socket
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest

from firstlight import conf
from firstlight.neutron import Neutron, open_neutron

Say = Callable[["Script", str, dict[str, list[str]]], tuple[int, Any] | None]


class Script:
    """What is answered: ports and groups as they stand here, unless `say` says something else."""

    def __init__(self) -> None:
        self.ports: list[dict[str, Any]] = []
        self.groups: list[dict[str, str]] = []
        self.asked: list[tuple[str, dict[str, list[str]]]] = []
        self.longest = 0  # bytes of a request's target
        self.connections: set[tuple[str, int]] = set()
        self.say: Say = Script.lists
        self.url = ""

    def lists(self, path: str, query: dict[str, list[str]]) -> tuple[int, Any]:
        """The two lists, filtered by the ids in the query."""
        if path == "/v2.0/ports":
            ids = query.get("device_id", ())
            return 200, {"ports": [p for p in self.ports if not ids or p["device_id"] in ids]}
        return 200, {"security_groups": [g for g in self.groups if g["id"] in query["id"]]}


def handler(script: Script) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1

        def do_GET(self) -> None:
            path, _, text = self.path.partition("?")
            query = parse_qs(text)
            script.asked.append((path, query))
            script.longest = max(script.longest, len(self.path))
            script.connections.add(self.client_address)
            said = script.say(script, path, query)
            if said is None:  # hang up
                self.close_connection = True
                self.connection.shutdown(socket.SHUT_RDWR)
                return
            status, value = said
            body = value if isinstance(value, bytes) else json.dumps(value).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Tests are quiet."""

    return Handler


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, *_: Any) -> None:
        """A client that hung up is what some tests are about."""


@pytest.fixture
def script() -> Iterator[Script]:
    script = Script()
    server = Server(("127.0.0.1", 0), handler(script))
    script.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield script
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def neutron(script: Script, tmp_path: Path) -> Iterator[Callable[..., Neutron]]:
    """Makes clients by the options of ``[neutron]``."""
    opened: list[Neutron] = []

    def make(deadline: float = 10.0, **options: str) -> Neutron:
        path = tmp_path / "nova.conf"
        section = {"auth_type": "none", "endpoint_override": script.url, **options}
        lines = [f"{name} = {value}" for name, value in section.items()]
        ours = f"[firstlight]\nneutron_deadline = {deadline}\n"
        path.write_text("\n".join(["[neutron]", *lines, ours]))
        client = open_neutron(conf.load("metadata", [str(path)]))
        opened.append(client)
        return client

    yield make
    for client in opened:
        client.close()
