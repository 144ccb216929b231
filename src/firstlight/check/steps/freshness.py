"""What makes answers fresher, or cheaper, than their expiry: shared cache and notifications."""

from collections.abc import Iterator, Sequence
from functools import partial

from oslo_config import cfg

from firstlight.check.option_location import place
from firstlight.check.step import Finding, Step, broken, ok, warning
from firstlight.notifications import BadTransport, open_feed
from firstlight.shared_cache import BadCache, open_shared_cache
from firstlight.shared_cache.guarded_server import GuardedServer


def steps(conf: cfg.ConfigOpts, secrets: Sequence[str]) -> list[Step]:
    """Those that are asked for; neither is needed."""
    found = []
    if conf.cache.enabled:
        found.append(Step("shared cache", lambda: _cache(conf, secrets)))
    if conf.firstlight.notifications:
        found.append(Step("notifications", lambda: _notifications(conf)))
    return found


def _cache(conf: cfg.ConfigOpts, secrets: Sequence[str]) -> Iterator[Finding | Step]:
    try:
        shared = open_shared_cache(conf, secrets)
    except BadCache as error:
        yield broken(
            str(error), place(conf, "cache", "backend"), remedy="correct it; the start fails"
        )
        return
    if shared is None:
        yield warning(
            f"[cache] is enabled, and nothing is shared: backend {conf.cache.backend}",
            place(conf, "cache", "backend"),
            remedy="set it to oslo_cache.memcache_pool or dogpile.cache.redis, without SASL; name"
            " servers; and have [api] metadata_cache_expiration above 0",
        )
        return
    yield ok(conf.cache.backend)
    for server in shared.places:
        yield Step(f"cache {server.name}", partial(_server, conf, server))


def _server(conf: cfg.ConfigOpts, server: GuardedServer) -> Iterator[Finding]:
    server.probe()
    trouble = server.trouble()
    if trouble is None:
        yield ok("answers")
    else:
        option = "redis_server" if "redis" in conf.cache.backend else "memcache_servers"
        yield warning(
            f"{trouble}; instances are read from the databases meanwhile",
            place(conf, "cache", option),
            remedy="is the server up, and are host and port right?",
        )


def _notifications(conf: cfg.ConfigOpts) -> Iterator[Finding]:
    # Not connected to: one more listener on the queue would take news from the service.
    try:
        open_feed(conf, lambda _uuid: None)
    except BadTransport as error:
        yield broken(
            str(error),
            place(conf, "firstlight", "notifications"),
            remedy="correct it; the start fails",
        )
    else:
        yield ok("configured; the service's /readyz says whether the broker answers")
