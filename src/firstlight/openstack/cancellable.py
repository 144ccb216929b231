"""HTTP connections to targets whose reads can be ended from outside.

A read timeout starts anew with every byte that arrives, so a target that drips its answer, or its
headers, holds a thread for as long as it likes. The one who waits for the answer ends that: when
the deadline has passed it cuts the socket, and the thread that reads it comes back at once.
"""

import contextlib
import socket
import threading
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any

import requests
from keystoneauth1.session import TCPKeepAliveAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.poolmanager import PoolManager, ProxyManager


class CancellableSocket:
    """Holds the socket that one call reads from, so that another thread can end the read."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._cut = False

    @contextlib.contextmanager
    def attached(self) -> Iterator[None]:
        """Responses that this thread waits for in here are read from a socket that can be cut."""
        token = _LEASH.set(self)
        try:
            yield
        finally:
            _LEASH.reset(token)
            with self._lock:
                self._socket = None  # a pooled connection; from here on it may be another call's

    def hold(self, sock: socket.socket) -> None:
        """`sock` is what the call reads from now."""
        with self._lock:
            if self._cut:
                raise TimeoutError("the deadline has passed")
            self._socket = sock

    def cut(self) -> None:
        """End the read that is going on, if any, and all that would follow. Never blocks."""
        with self._lock:
            self._cut = True
            if self._socket is not None:
                with contextlib.suppress(OSError):  # gone already
                    # Not SSLSocket's own method: it takes the TLS layer away under the reader.
                    socket.socket.shutdown(self._socket, socket.SHUT_RDWR)


_LEASH: ContextVar[CancellableSocket | None] = ContextVar("firstlight_leash", default=None)


def transport(pool_size: int, **tls: Any) -> requests.Session:
    """A requests session that keeps up to `pool_size` connections per host for reuse.

    `tls` is passed on to keystoneauth's adapter (`tls_ciphers`, `tls_min_version`, where it knows
    them).
    """
    session = _Transport()
    adapter = _Adapter(pool_maxsize=pool_size, **tls)
    session.mount("http://", adapter)
    session.mount("https://", adapter)
    return session


class _Transport(requests.Session):
    def get_redirect_target(self, resp: requests.Response) -> str | None:  # noqa: ARG002  requests' signature
        """None: requests would read a redirect's body whole, of any size, to find the next hop."""
        return None


class _Adapter(TCPKeepAliveAdapter):
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        _use_ours(self.poolmanager)

    def proxy_manager_for(self, proxy: str, **proxy_kwargs: Any) -> ProxyManager:
        manager: ProxyManager = super().proxy_manager_for(proxy, **proxy_kwargs)
        _use_ours(manager)
        return manager


class _Connection(HTTPConnection):
    def getresponse(self) -> Any:
        _hold(self.sock)
        return super().getresponse()


class _TlsConnection(HTTPSConnection):
    def getresponse(self) -> Any:
        _hold(self.sock)
        return super().getresponse()


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


def _use_ours(manager: PoolManager) -> None:
    manager.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}


def _hold(sock: socket.socket | None) -> None:
    leash = _LEASH.get()
    if leash is not None and sock is not None:
        leash.hold(sock)
