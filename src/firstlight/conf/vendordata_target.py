"""``[vendordata_target:NAME]``: what is agreed with one target of DynamicJSON.

The sections are known once ``[api] vendordata_dynamic_targets`` has been read, so they are
registered by :func:`named` and not with the others.
"""

from oslo_config import cfg

PREFIX = "vendordata_target:"

OPTIONS = [
    cfg.FloatOpt(
        "ttl",
        min=0,
        help="Seconds for which an answer is kept that does not say itself how long it may be "
        "(Cache-Control, Expires); what does, as those of firstlight vendordata do, is kept for as "
        "long as it says. Unset: [api] metadata_cache_expiration, as long as everything else about "
        "an instance. For a question with every request, as Nova asks, set max_ttl to 0.",
    ),
    cfg.FloatOpt(
        "max_ttl",
        default=86400,
        min=0,
        help="Seconds for which an answer is kept at most, whatever it says; 0: nothing is kept, "
        "and the target is asked for every request.",
    ),
    cfg.FloatOpt(
        "stale_while_revalidate",
        default=0,
        min=0,
        help="""
Seconds past its expiry for which an answer is still served while the target is asked again, where
the answer does not say (RFC 5861).
""",
    ),
    cfg.FloatOpt(
        "stale_if_error",
        min=0,
        help="""
Seconds past its expiry for which an answer stands in for a target that fails, where the answer does
not say (RFC 5861). Unset: [firstlight] stale_limit. An answer with must-revalidate, no-cache or
no-store never does.
""",
    ),
    cfg.FloatOpt(
        "timeout",
        min=0.1,
        help="""
Seconds for one call, connection, token, redirects and all. Unset: what is left of [firstlight]
vendordata_deadline. The [api] vendordata_dynamic_*_timeout options bound its parts.
""",
    ),
    cfg.StrOpt(
        "cafile",
        help="CA bundle that the target is verified with. Unset: as for all targets, in [api].",
    ),
    cfg.StrOpt(
        "certfile",
        help="Client certificate, PEM. Unset: [vendordata_dynamic_auth] certfile.",
    ),
    cfg.StrOpt("keyfile", help="Its private key, PEM; unset if it is in the same file."),
    cfg.IntOpt(
        "max_response_size",
        default=1024 * 1024,
        min=2,
        help="Bytes of an answer, decompressed; a longer one has failed.",
    ),
    cfg.IntOpt(
        "connections",
        default=16,
        min=1,
        help="Questions that are open at a time; connections are kept and used again.",
    ),
    cfg.BoolOpt(
        "required",
        help="""
Without an answer of this target vendor_data2.json is an error, never an object that lacks it; see
[firstlight] vendordata_hold for what else can be done about it. Unset: [api]
vendordata_dynamic_failure_fatal.
""",
    ),
    cfg.IntOpt(
        "breaker_failures",
        default=5,
        min=0,
        help="""
Failures in a row after which the target is not asked for breaker_seconds; then one question is let
through, and its answer decides. Only what tells about the target as a whole counts: no connection,
no answer in time, no JSON, too much of it, no service token, 429, 502, 503, 504. 0: never.
""",
    ),
    cfg.FloatOpt(
        "breaker_seconds",
        default=5,
        min=0.1,
        help="Seconds for which a target that failed breaker_failures times is not asked.",
    ),
]


def options() -> list[tuple[str, list[cfg.Opt]]]:
    """None before the targets' names are known."""
    return []


def names(conf: cfg.ConfigOpts) -> list[str]:
    """The targets that `conf` lists."""
    entries = conf.api.vendordata_dynamic_targets
    return list(dict.fromkeys(entry.partition("@")[0] for entry in entries if "@" in entry))


def named(conf: cfg.ConfigOpts) -> list[tuple[str, list[cfg.Opt]]]:
    """The sections of the targets that `conf` lists."""
    return [(PREFIX + name, OPTIONS) for name in names(conf)]


def sample() -> list[tuple[str, list[cfg.Opt]]]:
    """One section, to be copied; oslo.config does not tell upper case from lower in its name."""
    return [(f"{PREFIX}name", OPTIONS)]
