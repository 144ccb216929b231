"""Each target's terms, from the configuration."""

import logging
from collections.abc import Iterable

from msgspec import structs
from oslo_config import cfg

from firstlight.vendordata_client.policy import CachePolicy, CallPolicy, TargetPolicy
from firstlight.vendordata_client.targets import Target

LOG = logging.getLogger(__name__)

_PREFIX = "vendordata_target:"


def read_policies(conf: cfg.ConfigOpts, targets: Iterable[Target]) -> dict[str, TargetPolicy]:
    """The terms of these targets by name: ``[vendordata_target:NAME]``, else ``[api]``.

    A section for a target that is not listed is warned about: it may be misspelt.

    Raises:
        ValueError: an option has a value that cannot work; the message names it.
    """
    for_all = _for_all(conf.api)
    terms = {target.name: _terms(conf, target.name, for_all) for target in targets}
    known = {_PREFIX + name.lower() for name in terms}  # oslo.config's sections have no case
    for section in conf.list_all_sections():
        if section.startswith(_PREFIX) and section.lower() not in known:
            LOG.warning(
                "section [%s] is not used: [api] vendordata_dynamic_targets has no target of "
                "that name",
                section,
            )
    return terms


def _terms(conf: cfg.ConfigOpts, name: str, for_all: CallPolicy) -> TargetPolicy:
    own, api = conf[_PREFIX + name], conf.api
    fatal = api.vendordata_dynamic_failure_fatal
    if own.keyfile and not own.certfile:
        raise ValueError(f"[{_PREFIX}{name}] keyfile is set and certfile is not: set both")
    return TargetPolicy(
        call=structs.replace(
            for_all,
            timeout=own.timeout,
            ca_file=own.cafile or for_all.ca_file,
            certificate=(own.certfile, own.keyfile) if own.keyfile else own.certfile or None,
            max_bytes=own.max_response_size,
            in_flight=own.connections,
        ),
        keeping=CachePolicy(
            ttl=_or(own.ttl, api.metadata_cache_expiration),
            max_ttl=own.max_ttl,
            while_revalidate=own.stale_while_revalidate,
            if_error=_or(own.stale_if_error, conf.firstlight.stale_limit),
        ),
        required=fatal if own.required is None else own.required,
        breaker_failures=own.breaker_failures,
        breaker_seconds=own.breaker_seconds,
    )


def _for_all(api: cfg.ConfigOpts.GroupAttr) -> CallPolicy:
    """What Nova's options say of every target."""
    return CallPolicy(
        connect_timeout=api.vendordata_dynamic_connect_timeout,
        read_timeout=api.vendordata_dynamic_read_timeout,
        ca_file=api.vendordata_dynamic_ssl_certfile or None,
    )


def _or(value: float | None, otherwise: float) -> float:
    return otherwise if value is None else value
