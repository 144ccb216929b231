"""redis, alone or found by its sentinels, with redis-py."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from redis.sentinel import Sentinel

from firstlight.shared_cache.server import LIMIT, NotKept, ServerAway

T = TypeVar("T")


class Redis:
    """One redis. Whoever makes it hands in the client; see :func:`direct`, :func:`by_sentinels`."""

    def __init__(self, name: str, client: "redis.Redis") -> None:
        self.name = name
        self._client: Any = client

    def get(self, keys: Sequence[str]) -> list[bytes | None]:
        """See :class:`~firstlight.shared_cache.server.CacheServer`."""

        def ask() -> list[bytes]:
            with self._client.pipeline(transaction=False) as pipe:
                for key in keys:
                    pipe.getrange(key, 0, LIMIT)  # redis keeps up to 512 MB under a key
                return [bytes(value) for value in pipe.execute()]

        return [value or None for value in self._asked(ask)]

    def set(self, key: str, value: bytes, seconds: int) -> None:
        """See :class:`~firstlight.shared_cache.server.CacheServer`."""
        self._asked(lambda: self._client.set(key, value, ex=seconds))

    def add(self, key: str, value: bytes, seconds: int) -> bool:
        """See :class:`~firstlight.shared_cache.server.CacheServer`."""
        return bool(self._asked(lambda: self._client.set(key, value, ex=seconds, nx=True)))

    def close(self) -> None:
        """See :class:`~firstlight.shared_cache.server.CacheServer`."""
        self._client.close()

    def _asked(self, ask: Callable[[], T]) -> T:
        try:
            return ask()
        # The last two are what redis-py makes of an answer that is not redis's.
        except (redis.RedisError, OSError, ValueError, TypeError) as error:
            full = "maxmemory" in str(error)
            raise (NotKept if full else ServerAway)(
                f"redis {self.name}: {error or type(error).__name__}"
            ) from error


def direct(name: str, address: tuple[str, int], options: Mapping[str, Any]) -> Redis:
    """The redis at this address; `options` are redis-py's."""
    host, port = address
    return Redis(name, redis.Redis(host=host, port=port, **_patient(options)))


def by_url(name: str, url: str, options: Mapping[str, Any]) -> Redis:
    """The redis of a URL, whose parts go before `options`."""
    return Redis(name, redis.Redis.from_url(url, **_patient(options)))


def by_sentinels(
    service: str, sentinels: Sequence[tuple[str, int]], options: Mapping[str, Any]
) -> Redis:
    """The redis that the sentinels say is the master of `service`."""
    ways = {name: options[name] for name in options if name.startswith(("ssl", "socket"))}
    found: Any = Sentinel(list(sentinels), sentinel_kwargs=ways)  # type: ignore[no-untyped-call]
    return Redis(service, found.master_for(service, **_patient(options)))


def _patient(options: Mapping[str, Any]) -> dict[str, Any]:
    """redis-py would try again three times, with pauses; here the source is the second try."""
    return {"retry": Retry(NoBackoff(), 0), **options}
