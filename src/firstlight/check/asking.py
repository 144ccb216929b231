"""One request to a service on this host."""

import http.client
import socket
import ssl
from collections.abc import Mapping
from typing import NamedTuple

_SECONDS = 11.0  # the service itself gives up after [firstlight] deadline, 9
_LONGEST = 1024 * 1024


class CheckedResponse(NamedTuple):
    """What came back."""

    status: int
    body: bytes


class Unanswered(Exception):
    """Nothing came back; the message is the reason."""


def ask(
    host: str, port: int, path: str, headers: Mapping[str, str] | None = None, *, tls: bool = False
) -> CheckedResponse:
    """GET `path`.

    With `tls` the certificate is not verified: its name is the one that callers use, not this.

    Raises:
        Unanswered: nobody listens, or what comes back is no HTTP.
    """
    return _asked(_connection(host, port, tls=tls), path, headers)


def ask_at(
    socket_path: str, path: str, headers: Mapping[str, str] | None = None
) -> CheckedResponse:
    """GET `path` at a unix socket.

    Raises:
        Unanswered: nobody listens, or what comes back is no HTTP.
    """
    return _asked(_OverUnix(socket_path), path, headers)


class _OverUnix(http.client.HTTPConnection):
    """A connection to a unix socket."""

    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=_SECONDS)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(_SECONDS)
        self.sock.connect(self._path)


def _asked(
    connection: http.client.HTTPConnection, path: str, headers: Mapping[str, str] | None
) -> CheckedResponse:
    try:
        connection.request("GET", path, headers=dict(headers or {}))
        response = connection.getresponse()
        return CheckedResponse(response.status, response.read(_LONGEST))
    except (OSError, http.client.HTTPException) as error:
        why = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise Unanswered(why) from error
    finally:
        connection.close()


def here(address: str) -> str:
    """Where this host is reached, for an address that a service listens on."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(address, address)  # noqa: S104  compared, not listened on


def seen_from_here(address: str, port: int) -> str:
    """``HOST:PORT`` of a service on this host, as :func:`ask` asks it and a URL names it."""
    host = here(address)
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _connection(host: str, port: int, *, tls: bool) -> http.client.HTTPConnection:
    if not tls:
        return http.client.HTTPConnection(here(host), port, timeout=_SECONDS)
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return http.client.HTTPSConnection(here(host), port, timeout=_SECONDS, context=context)
