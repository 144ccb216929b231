"""From a nova.conf to a shared cache."""

import logging
import re
import ssl
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from oslo_config import cfg

from firstlight.shared_cache.cache import SharedCache
from firstlight.shared_cache.server import CacheServer

LOG = logging.getLogger(__name__)

_MEMCACHED = (
    "oslo_cache.memcache_pool",
    "dogpile.cache.memcached",
    "dogpile.cache.pymemcache",
    "dogpile.cache.pylibmc",
    "dogpile.cache.bmemcached",
)
_REDIS, _SENTINEL = "dogpile.cache.redis", "dogpile.cache.redis_sentinel"


class BadCache(Exception):
    """``[cache]`` asks for what cannot be had; the message names the option."""


def open_shared_cache(conf: cfg.ConfigOpts, secrets: Sequence[str]) -> SharedCache | None:
    """What ``[cache]`` names; None: it is not enabled, or names nothing that is shared.

    Nothing is connected yet.

    Raises:
        BadCache: an address or a TLS file cannot be used, or the client library is not installed.
    """
    own, ttl = conf.cache, conf.api.metadata_cache_expiration
    if not own.enabled or ttl == 0:
        return None
    unusable = _unusable(own)
    if unusable is not None:
        LOG.warning("[cache] %s: what is read of instances is not shared", unusable)
        return None
    if not all(secrets):
        LOG.warning(
            "[cache] is enabled and [neutron] metadata_proxy_shared_secret is empty: whoever may"
            " write to the cache may change what guests are told; set a secret"
        )
    try:
        servers = _servers(own)
    except ImportError as error:
        raise BadCache(
            f"[cache] backend: no client for it ({error}): pip install 'firstlight[cache]'"
        ) from error
    if not servers:
        LOG.warning("[cache] memcache_servers is empty: what is read of instances is not shared")
        return None
    LOG.info("what is read of instances is shared in %s", ", ".join(s.name for s in servers))
    return SharedCache(
        servers, ttl=ttl, secrets=secrets, longest_pause=max(1, own.memcache_dead_retry)
    )


def _unusable(own: Any) -> str | None:
    """Why nothing can be shared in this way."""
    if own.backend not in (*_MEMCACHED, _REDIS, _SENTINEL):
        return f"backend {own.backend} is neither memcached nor redis"
    if own.backend in _MEMCACHED and own.memcache_sasl_enabled:
        return "memcache_sasl_enabled is not supported"
    return None


def _servers(own: Any) -> list[CacheServer]:
    url = _url(own.backend_argument)
    if own.backend in _MEMCACHED:
        return _memcached(own, url.split(",") if url else own.memcache_servers)
    return [_redis(own, url)]


def _memcached(own: Any, names: Sequence[str]) -> list[CacheServer]:
    from firstlight.shared_cache.memcached import Memcached

    tls = _tls_context(own) if own.tls_enabled else None
    return [
        Memcached(
            name,
            _memcached_address(name),
            timeout=_timeout(own),
            idle=max(1, own.memcache_pool_unused_timeout),
            tls=tls,
        )
        for name in dict.fromkeys(map(str.strip, names))
    ]


def _timeout(own: Any) -> float:
    """Nova takes any number; one within which nothing can be done becomes the least that works."""
    return max(0.01, float(own.socket_timeout))


def _memcached_address(name: str) -> tuple[str, int] | str:
    if name.startswith("unix:"):
        return name.removeprefix("unix:")
    return _address("memcache_servers", re.sub("^inet6?:", "", name), 11211)


def _redis(own: Any, url: str | None) -> CacheServer:
    from firstlight.shared_cache import redis

    options = {
        "db": own.redis_db,
        "username": own.username,
        "password": own.password,
        "socket_timeout": _timeout(own),
        "socket_connect_timeout": _timeout(own),
        **(_redis_tls(own) if own.tls_enabled else {}),
    }
    if own.backend == _SENTINEL:
        sentinels = [_address("redis_sentinels", each, 26379) for each in own.redis_sentinels]
        return redis.by_sentinels(own.redis_sentinel_service_name, sentinels, options)
    if url:
        try:
            return redis.by_url(_without_password(url), url, options)
        except ValueError:
            # Without the cause: its message may quote a part of the URL, password and all.
            raise BadCache(
                "[cache] backend_argument: url is not like redis://user:password@host:6379/0"
            ) from None
    return redis.direct(own.redis_server, _redis_address(own.redis_server), options)


def _redis_address(text: str) -> tuple[str, int]:
    """As oslo.utils reads it: a bare IPv6 address has no port."""
    bare = text.count(":") > 1 and not text.startswith("[")
    return _address("redis_server", f"[{text}]" if bare else text, 6379)


def _url(arguments: Sequence[str]) -> str | None:
    """The older way to name a server; other arguments are of drivers that are not used here."""
    found = dict(argument.partition(":")[::2] for argument in arguments)
    others = sorted(set(found) - {"url"})
    if others:
        LOG.warning("[cache] backend_argument: not used: %s", ", ".join(others))
    return found.get("url")


# What oslo.cache's drivers take: deployment tools write names in brackets, too.
_HOST_PORT = re.compile(r"(?:\[(?P<enclosed>[^\[\]]+)\]|(?P<bare>[^:\[\]]+))(?::(?P<port>[0-9]+))?")


def _address(option: str, text: str, port: int) -> tuple[str, int]:
    found = _HOST_PORT.fullmatch(text)
    number = int(found["port"] or port) if found is not None else 0
    if found is None or number > 65535:
        raise BadCache(f"[cache] {option}: {text!r} is not host:port")
    return found["enclosed"] or found["bare"], number


def _without_password(url: str) -> str:
    """What may be shown of it: redis-py takes credentials before the host and in the query."""
    return url.partition("?")[0].rpartition("@")[2].rpartition("://")[2]


def _tls_context(own: Any) -> ssl.SSLContext:
    def make() -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=own.tls_cafile)
        if own.tls_certfile:
            context.load_cert_chain(own.tls_certfile, own.tls_keyfile)
        if own.tls_allowed_ciphers:
            context.set_ciphers(own.tls_allowed_ciphers)
        return context

    return _readable(make)


def _readable(make: Callable[[], ssl.SSLContext]) -> ssl.SSLContext:
    try:
        return make()
    except OSError as error:
        raise BadCache(
            f"[cache] tls_cafile, tls_certfile, tls_keyfile, tls_allowed_ciphers: {error}"
        ) from error


def _redis_tls(own: Any) -> Mapping[str, Any]:
    _tls_context(own)  # a file that cannot be used stops the start, not the first look-up
    wanted = {
        "ssl_ca_certs": own.tls_cafile,
        "ssl_certfile": own.tls_certfile,
        "ssl_keyfile": own.tls_keyfile,
        "ssl_ciphers": own.tls_allowed_ciphers,
    }
    return {"ssl": True, **{name: value for name, value in wanted.items() if value}}
