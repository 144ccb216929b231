"""HTTP/1.1 as bytes: what is written in a conversation is what is sent, nothing is tidied up."""

import hashlib
import hmac
import http.client
import socket
from collections.abc import Mapping
from typing import NamedTuple

from firstlight.instance import Instance

_PATIENCE = 30  # seconds; a bound for a service that hangs, not a measurement


class Heard(NamedTuple):
    """One response."""

    status: int
    headers: dict[str, str]
    body: bytes


def signature(secret: str, instance_id: str) -> str:
    """Hex HMAC-SHA256, written here anew so that the service is not compared with itself."""
    return hmac.new(secret.encode(), instance_id.encode(), hashlib.sha256).hexdigest()


def signed_headers(instance: Instance, secret: str) -> dict[str, str]:
    """What a metadata agent sends for this instance."""
    return {
        "X-Instance-ID": instance.uuid,
        "X-Tenant-ID": instance.project_id,
        "X-Instance-ID-Signature": signature(secret, instance.uuid),
    }


def ask(
    port: int,
    method: str,
    target: str,
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
    *,
    source: str = "127.0.0.1",
) -> Heard:
    """One request on a connection of its own; Content-Length is sent if there is a body."""
    fields = {"Host": "169.254.169.254", "Connection": "close"} | dict(headers or {})
    if body is not None:
        fields.setdefault("Content-Length", str(len(body)))
    head = f"{method} {target} HTTP/1.1\r\n"
    head += "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    with socket.create_connection(("127.0.0.1", port), _PATIENCE, (source, 0)) as connection:
        connection.sendall(head.encode("latin-1") + b"\r\n" + (body or b""))
        return read(connection, method)


def read(connection: socket.socket, method: str = "GET") -> Heard:
    """The response that comes on a connection."""
    response = http.client.HTTPResponse(connection, method=method)
    response.begin()
    pairs = response.getheaders()
    headers = {name.title(): value for name, value in pairs}
    assert len(headers) == len(pairs), f"a header came twice: {pairs}"
    return Heard(response.status, headers, response.read())
