"""The service's memories: of instances, of who has which address, of security groups."""

from collections.abc import Callable

from firstlight.concurrency.workers import Workers
from firstlight.metadata.address_lookup import find_owners
from firstlight.metadata.cache.cache import Cache
from firstlight.metadata.cache.rendered_instance import RenderedInstance
from firstlight.metadata.settings import ServiceSettings
from firstlight.sources.ports import Device, Ports, SecurityGroups

_MIB = 1024 * 1024

Clock = Callable[[], float]


def instance_cache(
    read: Callable[[str], RenderedInstance | None],
    pool: Workers,
    behaviour: ServiceSettings,
    clock: Clock,
) -> Cache[RenderedInstance]:
    """Instances with their rendered documents; stale ones will do while their source is away."""
    return Cache(
        read,
        pool,
        clock=clock,
        ttl=behaviour.ttl,
        negative_ttl=behaviour.negative_ttl,
        stale_limit=behaviour.stale_limit,
        size=RenderedInstance.size,
        limit=behaviour.memory_mib * _MIB,
        age=lambda record: record.age,
    )


def address_cache(
    ports: Ports, pool: Workers, behaviour: ServiceSettings, clock: Clock
) -> Cache[tuple[Device, ...]]:
    """Who has which address. Never stale: an address moves from one server to another."""
    return Cache(
        find_owners(ports),
        pool,
        clock=clock,
        ttl=behaviour.ttl,
        negative_ttl=behaviour.negative_ttl,
        stale_limit=0,
        size=lambda owners: 64 + 200 * len(owners),
        limit=16 * _MIB,
    )


def security_group_cache(
    groups: SecurityGroups, pool: Workers, behaviour: ServiceSettings, clock: Clock
) -> Cache[tuple[str, ...]]:
    """Security groups, where they are not the source's to tell.

    Nova asks Neutron for them for every document; here only the document that shows them waits, and
    stale ones will do.
    """
    return Cache(
        lambda uuid: groups.security_groups([uuid])[uuid],
        pool,
        clock=clock,
        ttl=behaviour.ttl,
        negative_ttl=behaviour.negative_ttl,
        stale_limit=behaviour.stale_limit,
        size=lambda names: 64 + sum(map(len, names)),
        limit=16 * _MIB,
    )
