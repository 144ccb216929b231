"""memcached, with pymemcache.

Not with dogpile's or oslo.cache's drivers: those unpickle what the server says is a pickle, so that
whoever may write to the cache may run code here.
"""

import ssl
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from pymemcache.client.base import PooledClient
from pymemcache.exceptions import (
    MemcacheError,
    MemcacheIllegalInputError,
    MemcacheServerError,
)

from firstlight.shared_cache.server import NotKept, ServerAway

T = TypeVar("T")

_LONGEST = 30 * 24 * 3600  # seconds; memcached takes more for a date (its protocol.txt)


class Memcached:
    """One memcached.

    Args:
        name: as the operator wrote it.
        address: host and port, or the path of a UNIX socket.
        timeout: seconds to connect, and for each exchange.
        idle: seconds after which a connection that nobody uses is closed.
    """

    def __init__(
        self,
        name: str,
        address: tuple[str, int] | str,
        *,
        timeout: float,
        idle: float,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.name = name
        self._client: Any = PooledClient(
            address,
            connect_timeout=timeout,
            timeout=timeout,
            no_delay=True,
            pool_idle_timeout=idle,
            default_noreply=False,
            tls_context=tls,
        )

    def get(self, keys: Sequence[str]) -> list[bytes | None]:
        """See :class:`~firstlight.shared_cache.server.CacheServer`."""
        found = self._asked(lambda: self._client.get_many(keys))
        return [found.get(key) for key in keys]

    def set(self, key: str, value: bytes, seconds: int) -> None:
        """See :class:`~firstlight.shared_cache.server.CacheServer`."""
        self._asked(lambda: self._client.set(key, value, expire=min(seconds, _LONGEST)))

    def add(self, key: str, value: bytes, seconds: int) -> bool:
        """See :class:`~firstlight.shared_cache.server.CacheServer`."""
        return bool(
            self._asked(lambda: self._client.add(key, value, expire=min(seconds, _LONGEST)))
        )

    def close(self) -> None:
        """See :class:`~firstlight.shared_cache.server.CacheServer`."""
        self._client.close()

    def _asked(self, ask: Callable[[], T]) -> T:
        try:
            return ask()
        # "object too large for cache", "out of memory"; or a key that memcached does not take, of
        # which the server was not even asked.
        except (MemcacheServerError, MemcacheIllegalInputError) as error:
            raise NotKept(f"memcached {self.name}: {error}") from error
        # The last three are what pymemcache makes of an answer that is not memcached's.
        except (OSError, MemcacheError, ValueError, LookupError, TypeError) as error:
            raise ServerAway(f"memcached {self.name}: {error or type(error).__name__}") from error
