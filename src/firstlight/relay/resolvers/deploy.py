"""From the relay's configuration to what recognises its guests."""

from collections.abc import Callable
from typing import TypedDict

from oslo_config import cfg

from firstlight.relay.agent.identity_cache import (
    UNCONFIRMED_SECONDS,
    IdentityCache,
    IdentityLimits,
    Look,
)
from firstlight.relay.contract import Resolver

_THREADS = 2  # that resolve at the same time, see Recognition


class ResolverError(Exception):
    """The resolver cannot be used as it is configured; the message says what to change."""


def open_identity_cache(conf: cfg.ConfigOpts, *, look: Look | None = None) -> IdentityCache:
    """What recognises guests by the resolver that the files name. Nothing has been asked yet.

    Args:
        conf: with the sections ``[relay]`` (:mod:`firstlight.conf.recognition`), ``[ovn]``,
            ``[neutron]`` and ``[store]``.
        look: see :data:`~firstlight.relay.agent.identity_cache.Look`.

    Raises:
        ResolverError: an option of the resolver cannot be used, or its extra is not installed.
    """
    section = conf.relay
    terms = IdentityLimits(
        found=section.identity_seconds,
        nobody=section.nobody_seconds,
        stale=section.identity_stale_seconds,
        most=section.identities,
    )
    return IdentityCache(open_resolver(conf), terms, look=look)


def open_resolver(conf: cfg.ConfigOpts) -> Resolver:
    """The resolver that ``[relay] resolver`` names, or that the files imply.

    Raises:
        ResolverError: see :func:`open_identity_cache`.
    """
    return _OPEN[chosen(conf)](conf)


def chosen(conf: cfg.ConfigOpts) -> str:
    """Its name."""
    if conf.relay.resolver != "auto":
        return str(conf.relay.resolver)
    if _given(conf, "ovn", "ovn_sb_connection"):
        return "ovn"
    if conf.neutron.auth_type:
        return "neutron-rest"
    return "store" if _given(conf, "store", "connection") else "neutron-rpc"


def _given(conf: cfg.ConfigOpts, group: str, option: str) -> bool:
    """Whether a file sets it."""
    found = conf.get_location(option, group)
    return found is not None and found.location is cfg.Locations.user


def _neutron_rpc(conf: cfg.ConfigOpts) -> Resolver:
    from firstlight.relay.resolvers.neutron_rpc import BadTransport, open_neutron_rpc

    try:
        return open_neutron_rpc(conf, **_of_neutron(conf))
    except BadTransport as error:
        raise ResolverError(str(error)) from error


def _neutron_rest(conf: cfg.ConfigOpts) -> Resolver:
    from firstlight.neutron import NeutronMisconfigured
    from firstlight.relay.resolvers.neutron_rest import open_neutron_rest

    try:
        return open_neutron_rest(conf, **_of_neutron(conf))
    except NeutronMisconfigured as error:
        raise ResolverError(str(error)) from error


class _Terms(TypedDict):
    seconds: float
    threads: int
    router_seconds: float


def _of_neutron(conf: cfg.ConfigOpts) -> _Terms:
    section = conf.relay
    return _Terms(
        seconds=section.resolver_deadline,
        threads=_THREADS,
        # No neighbour table shows that a router is on other networks now.
        router_seconds=min(section.identity_seconds, UNCONFIRMED_SECONDS),
    )


def _ovn(conf: cfg.ConfigOpts) -> Resolver:
    from firstlight.relay.ovn.ovsdb import BadDatabase
    from firstlight.relay.resolvers.ovn import open_ovn

    try:
        return open_ovn(conf)
    except BadDatabase as error:
        raise ResolverError(str(error)) from error


def _store(conf: cfg.ConfigOpts) -> Resolver:
    from firstlight.relay.resolvers.store import StoreResolver
    from firstlight.sources.store import BadConnection, Store

    try:
        store = Store.open(
            conf.store.connection,
            pool_size=conf.store.pool_size or _THREADS + 1,
            timeout=min(conf.store.timeout, conf.relay.resolver_deadline),
        )
    except BadConnection as error:
        raise ResolverError(f"[store] connection: {error}") from error
    return StoreResolver(store)


_OPEN: dict[str, Callable[[cfg.ConfigOpts], Resolver]] = {
    "neutron-rpc": _neutron_rpc,
    "neutron-rest": _neutron_rest,
    "ovn": _ovn,
    "store": _store,
}
