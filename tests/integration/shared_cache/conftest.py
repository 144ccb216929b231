"""Services that share what they read in a real memcached or a real redis."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest

from firstlight import conf as configuration
from firstlight.shared_cache import SharedCache, open_shared_cache
from support.servers.daemons import Daemon, memcached_at, redis_at, running

SECRET = "s3"
TTL = 15


@dataclass
class Wall:
    """The time of a host."""

    now: float = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Bed:
    """A server, and the services that use it."""

    backend: str
    daemon: Daemon
    directory: object
    wall: Wall = field(default_factory=Wall)
    opened: list[SharedCache] = field(default_factory=list)

    def service(self, *, secret: str = SECRET, wall: Callable[[], float] | None = None):
        """One more process, configured by the file an operator has."""
        cache = open_shared_cache(self.conf(), [secret])
        assert cache is not None
        cache._wall = wall or self.wall
        self.opened.append(cache)
        return cache

    def conf(self, **options: str):
        """[cache] as in a nova.conf."""
        path = self.directory / "nova.conf"  # type: ignore[operator]
        lines = {
            "enabled": "true",
            "backend": self.backend,
            "memcache_servers": f"127.0.0.1:{self.daemon.port}",
            "redis_server": f"127.0.0.1:{self.daemon.port}",
            "socket_timeout": "0.5",
            "memcache_dead_retry": "1",
            **options,
        }
        path.write_text("[cache]\n" + "".join(f"{k} = {v}\n" for k, v in lines.items()))
        return configuration.load("metadata", [str(path)])


@pytest.fixture(params=["oslo_cache.memcache_pool", "dogpile.cache.redis"])
def bed(request, tmp_path) -> Iterator[Bed]:
    """memcached and redis, by their names in oslo.cache."""
    make = redis_at if "redis" in request.param else memcached_at
    for daemon in running(make):
        bed = Bed(request.param, daemon, tmp_path)
        yield bed
        for cache in bed.opened:
            cache.close()
