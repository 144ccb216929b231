"""Where a metadata service, or somebody else's agent, is to be connected to."""

import asyncio
import ssl
from dataclasses import dataclass
from urllib.parse import urlsplit

from firstlight.relay.upstream.connection import UpstreamConnection

_PORTS = {"http": 80, "https": 443}


class BadUpstream(Exception):
    """A URL that names no upstream; the message says what one looks like."""


@dataclass(frozen=True, slots=True)
class TcpUpstream:
    """A host and port; with `tls`, the host is whom the certificate must name."""

    host: str
    port: int
    tls: ssl.SSLContext | None = None

    @property
    def authority(self) -> str:
        """What ``Host`` says."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    def __str__(self) -> str:
        return f"{'http' if self.tls is None else 'https'}://{self.authority}"

    async def connect(self, max_body: int) -> UpstreamConnection:
        """A new connection.

        Raises:
            OSError: there is none; ssl.SSLError is one.
        """
        _, line = await asyncio.get_running_loop().create_connection(
            lambda: UpstreamConnection(max_body),
            self.host,
            self.port,
            ssl=self.tls,
            server_hostname=self.host if self.tls else None,
        )
        return line


@dataclass(frozen=True, slots=True)
class UnixUpstream:
    """A path."""

    path: str
    authority: str = "169.254.169.254"

    def __str__(self) -> str:
        return f"unix:{self.path}"

    async def connect(self, max_body: int) -> UpstreamConnection:
        """As :meth:`Tcp.connect`."""
        loop = asyncio.get_running_loop()
        _, line = await loop.create_unix_connection(lambda: UpstreamConnection(max_body), self.path)
        return line


Address = TcpUpstream | UnixUpstream


def parse(url: str, tls: ssl.SSLContext | None) -> TcpUpstream:
    """The upstream that ``http://HOST:PORT`` or ``https://HOST:PORT`` names; `tls` is for https.

    Raises:
        BadUpstream: it is not of that form.
    """
    try:
        parts = urlsplit(url)
        port = parts.port or _PORTS[parts.scheme]
    except (ValueError, KeyError) as error:
        raise _bad(url) from error
    extra = parts.path.strip("/") or parts.query or parts.fragment or parts.username
    if not parts.hostname or extra:
        raise _bad(url)
    return TcpUpstream(parts.hostname, port, tls if parts.scheme == "https" else None)


def _bad(url: str) -> BadUpstream:
    shown = url.rpartition("@")[2]  # what is before may be a password
    return BadUpstream(f"{shown!r} is not http://HOST:PORT or https://HOST:PORT")
