"""``[cache]`` of a nova.conf: oslo.cache's options, those that are used here.

``expiration_time`` is not among them: as in Nova's metadata service, what is kept of an instance
counts for ``[api] metadata_cache_expiration``.
"""

from oslo_config import cfg

GROUP = "cache"

# oslo.cache's, in its order; the drivers behind them are not used here.
_MEMCACHED = "memcached, by a client of this service's own"
_NOT_SHARED = "nothing is shared"
_BACKENDS = [
    ("oslo_cache.memcache_pool", _MEMCACHED),
    ("oslo_cache.dict", _NOT_SHARED),
    ("oslo_cache.etcd3gw", _NOT_SHARED),
    ("dogpile.cache.pymemcache", _MEMCACHED),
    ("dogpile.cache.memcached", _MEMCACHED),
    ("dogpile.cache.pylibmc", _MEMCACHED),
    ("dogpile.cache.bmemcached", _MEMCACHED),
    ("dogpile.cache.dbm", _NOT_SHARED),
    ("dogpile.cache.redis", "the redis at ``redis_server``"),
    ("dogpile.cache.redis_sentinel", "the redis that ``redis_sentinels`` name"),
    ("dogpile.cache.memory", _NOT_SHARED),
    ("dogpile.cache.memory_pickle", _NOT_SHARED),
    ("dogpile.cache.null", _NOT_SHARED),
]


def is_used(conf: cfg.ConfigOpts) -> bool:
    """Whether anything of it is looked at: Nova reads the rest only where it is enabled."""
    return bool(conf.cache.enabled)


def _formerly(name: str) -> list[cfg.DeprecatedOpt]:
    return [cfg.DeprecatedOpt(f"{kind}_{name}", group=GROUP) for kind in ("memcache", "redis")]


OPTIONS = [
    (
        GROUP,
        [
            cfg.BoolOpt(
                "enabled",
                default=False,
                help="Share what is read of instances between processes and hosts.",
            ),
            cfg.StrOpt(
                "backend",
                default="dogpile.cache.null",
                choices=_BACKENDS,
                help="""
Where it is shared: oslo.cache's names. Each that means memcached or redis will do, and with the
others nothing is shared. A name that Nova refuses is refused here.
""",
            ),
            cfg.MultiStrOpt(
                "backend_argument",
                default=[],
                secret=True,
                help="``url:`` and the address of the server, the older way; others are not used.",
            ),
            cfg.ListOpt(
                "memcache_servers",
                default=["localhost:11211"],
                help="""
Each ``host:port``, ``inet6:[host]:port`` or ``unix:path``; a host in brackets may be a name. Empty:
nothing is shared.
""",
            ),
            cfg.IntOpt(
                "memcache_dead_retry",
                default=300,
                help="""
Seconds for which a server that does not answer is left alone, at most: it starts with one second
and doubles.
""",
            ),
            cfg.IntOpt(
                "memcache_pool_unused_timeout",
                default=60,
                help="Seconds after which an unused connection to memcached is closed.",
            ),
            cfg.BoolOpt(
                "memcache_sasl_enabled",
                default=False,
                help="Not supported: where it is set, nothing is shared, and the log says so.",
            ),
            cfg.StrOpt("redis_server", default="localhost:6379", help="``host:port`` of redis."),
            cfg.IntOpt("redis_db", default=0, min=0, help="Number of the database in redis."),
            cfg.ListOpt(
                "redis_sentinels",
                default=["localhost:26379"],
                help="``host:port`` of each sentinel.",
            ),
            cfg.StrOpt(
                "redis_sentinel_service_name",
                default="mymaster",
                help="The sentinels' name for the service.",
            ),
            cfg.StrOpt(
                "username", deprecated_opts=_formerly("username"), help="The user at redis."
            ),
            cfg.StrOpt(
                "password",
                secret=True,
                deprecated_opts=_formerly("password"),
                help="The password at redis.",
            ),
            cfg.FloatOpt(
                "socket_timeout",
                default=1.0,
                deprecated_opts=_formerly("socket_timeout"),
                help="Seconds for each exchange with a server.",
            ),
            cfg.BoolOpt("tls_enabled", default=False, help="Speak TLS with the servers."),
            cfg.StrOpt("tls_cafile", help="CA bundle that the servers are verified with, PEM."),
            cfg.StrOpt("tls_certfile", help="Certificate to show to the servers, PEM."),
            cfg.StrOpt("tls_keyfile", help="Its private key, if that is in another file."),
            cfg.StrOpt("tls_allowed_ciphers", help="OpenSSL's list of ciphers to allow."),
        ],
    )
]
