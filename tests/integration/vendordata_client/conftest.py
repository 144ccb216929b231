"""Targets, a Keystone and certificates, all real over loopback."""

import json
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from firstlight import conf
from firstlight.instance import Instance
from firstlight.vendordata_client import VendorData, vendor_data
from integration.vendordata_client.keeping import Counting, Time
from support.parts import need

Script = Callable[["Handler"], None]


@dataclass
class Seen:
    """One request as it arrived."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Service:
    """A running HTTP service that does what its script says."""

    url: str
    script: Script
    seen: list[Seen] = field(default_factory=list)


class Handler(BaseHTTPRequestHandler):
    """What scripts write with."""

    protocol_version = "HTTP/1.1"
    service: Service

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        headers = dict(self.headers.items())
        self.seen = Seen(self.command, self.path, headers, self.rfile.read(length))
        self.service.seen.append(self.seen)
        self.service.script(self)

    def do_GET(self) -> None:
        self.do_POST()

    def say(self, status: int, body: bytes = b"", **headers: str) -> None:
        """A whole response; header names are given with ``_`` for ``-``."""
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: Any) -> None:
        """Nothing: pytest shows what matters."""


@pytest.fixture
def serve() -> Iterator[Callable[..., Service]]:
    """Start services; they end with the test."""
    servers: list[tuple[ThreadingHTTPServer, threading.Thread]] = []

    def start(script: Script, context: ssl.SSLContext | None = None) -> Service:
        handler = type("Handler", (Handler,), {})
        server = ThreadingHTTPServer(("127.0.0.1", 0), handler, bind_and_activate=False)
        server.daemon_threads, server.block_on_close = True, False
        server.request_queue_size = 64
        server.handle_error = lambda *args: None  # type: ignore[method-assign]  # cut connections
        server.server_bind()
        server.server_activate()
        scheme = "http"
        if context is not None:
            scheme = "https"
            server.socket = context.wrap_socket(
                server.socket, server_side=True, do_handshake_on_connect=False
            )
        service = Service(f"{scheme}://127.0.0.1:{server.server_port}", script)
        handler.service = service  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        servers.append((server, thread))
        return service

    yield start
    for server, thread in servers:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def instance() -> Instance:
    return Instance(
        uuid="2ae914e9-f5ab-44ce-b2a2-dcf8373d899d",
        project_id="039d104b7a5c4631b4ba6524d0b9e981",
        name="foo",
        hostname="foo",
        metadata={"role": "web"},
        user_data="aHVzaC1ody1kYXRh",
        boot_roles="member,reader",
    )


@pytest.fixture
def configured(tmp_path: Path) -> Iterator[Callable[..., VendorData]]:
    """Vendor data as a nova.conf with these targets and sections configures it."""
    opened: list[VendorData] = []

    def load(
        *targets: str, api: str = "", auth: str = "", sections: str = "", **more: Any
    ) -> VendorData:
        path = tmp_path / "metadata.conf"
        path.write_text(
            "[api]\nvendordata_providers = StaticJSON,DynamicJSON\n"
            f"vendordata_dynamic_targets = {','.join(targets)}\n{api}\n"
            f"[vendordata_dynamic_auth]\n{auth}\n{sections}\n"
        )
        data = vendor_data(conf.load("metadata", [str(path)]), **more)
        opened.append(data)
        return data

    yield load
    for data in opened:
        data.close()


def _versions(root: str) -> dict[str, Any]:
    version = {
        "id": "v3.14",
        "status": "stable",
        "links": [{"rel": "self", "href": f"{root}/v3/"}],
    }
    return {"versions": {"values": [version]}}


_TOKEN = {
    "token": {
        "methods": ["password"],
        "user": {"id": "u", "name": "nova", "domain": {"id": "default", "name": "Default"}},
        "issued_at": "2026-01-01T00:00:00.000000Z",
        "expires_at": "2099-01-01T00:00:00.000000Z",
    }
}


@dataclass
class Keystone:
    """A stand-in for Keystone: versions, and ``token-1``, ``token-2``, … for whoever asks."""

    tokens: int = 0
    refuses: bool = False
    hangs: threading.Event | None = None  # if given, tokens come once it is set

    def __call__(self, handler: Handler) -> None:
        root = f"http://{handler.headers['Host']}"
        if handler.command == "GET":
            handler.say(300, json.dumps(_versions(root)).encode())
            return
        if self.hangs is not None:
            self.hangs.wait(30)
        if self.refuses:
            handler.say(401, b'{"error": {"message": "go away"}}', Content_Type="application/json")
            return
        self.tokens += 1
        handler.say(201, json.dumps(_TOKEN).encode(), X_Subject_Token=f"token-{self.tokens}")


@pytest.fixture
def keystone() -> Keystone:
    return Keystone()


@pytest.fixture
def auth(keystone: Keystone, serve: Callable[..., Service]) -> str:
    """Options of [vendordata_dynamic_auth] for the stand-in."""
    return (
        f"auth_type = password\nauth_url = {serve(keystone).url}\nusername = nova\n"
        "password = hush-hush\nproject_name = service\n"
        "user_domain_id = default\nproject_domain_id = default"
    )


@dataclass
class Certificates:
    """A private CA, a server certificate for 127.0.0.1 and a client certificate of it."""

    ca: Path
    server: Path
    server_key: Path
    client: Path
    client_key: Path


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    made = tmp_path_factory.mktemp("tls")
    openssl = need("openssl")

    def run(*arguments: str) -> None:
        subprocess.run([openssl, *arguments], cwd=made, check=True, capture_output=True)

    def request(name: str, *more: str) -> None:
        run(
            *("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"),
            *("-subj", f"/CN={name}", "-keyout", f"{name}.key", *more),
        )

    request("ca", "-x509", "-days", "2", "-out", "ca.pem")
    for name in ("server", "client"):
        request(name, "-addext", "subjectAltName=IP:127.0.0.1", "-out", f"{name}.csr")
        run(
            *("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key"),
            *("-CAcreateserial", "-days", "2", "-copy_extensions", "copy", "-out", f"{name}.pem"),
        )
    return Certificates(
        *(made / name for name in ("ca.pem", "server.pem", "server.key")),
        *(made / name for name in ("client.pem", "client.key")),
    )


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def served() -> Counting:
    return Counting()


@pytest.fixture
def target(
    serve: Any, configured: Any, time: Time, served: Counting
) -> Callable[..., tuple[Any, VendorData]]:
    """One target t, which says these headers, with these options."""

    def make(options: str = "", **headers: str) -> tuple[Any, VendorData]:
        service = serve(lambda h: h.say(200, b'"said"', **headers))
        data = configured(
            f"t@{service.url}",
            sections=f"[vendordata_target:t]\n{options}",
            clock=time,
            timer=time,
            observer=served,
        )
        return service, data

    return make
