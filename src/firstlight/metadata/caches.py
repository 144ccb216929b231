"""The service's memories: of instances, of who has which address, of security groups."""

from collections.abc import Callable

from firstlight.metadata.behaviour import Behaviour
from firstlight.metadata.memory import Memory
from firstlight.metadata.owners import find_owners
from firstlight.metadata.record import Record
from firstlight.sources.ports import Device, Ports, SecurityGroups
from firstlight.wire.pool import Pool

_MIB = 1024 * 1024

Clock = Callable[[], float]


def of_instances(
    read: Callable[[str], Record | None], pool: Pool, behaviour: Behaviour, clock: Clock
) -> Memory[Record]:
    """Instances with their rendered documents; stale ones will do while their source is away."""
    return Memory(
        read,
        pool,
        clock=clock,
        ttl=behaviour.ttl,
        negative_ttl=behaviour.negative_ttl,
        stale_limit=behaviour.stale_limit,
        size=Record.size,
        limit=behaviour.memory_mib * _MIB,
        age=lambda record: record.age,
    )


def of_owners(
    ports: Ports, pool: Pool, behaviour: Behaviour, clock: Clock
) -> Memory[tuple[Device, ...]]:
    """Who has which address. Never stale: an address moves from one server to another."""
    return Memory(
        find_owners(ports),
        pool,
        clock=clock,
        ttl=behaviour.ttl,
        negative_ttl=behaviour.negative_ttl,
        stale_limit=0,
        size=lambda owners: 64 + 200 * len(owners),
        limit=16 * _MIB,
    )


def of_groups(
    groups: SecurityGroups, pool: Pool, behaviour: Behaviour, clock: Clock
) -> Memory[tuple[str, ...]]:
    """Security groups, where they are not the source's to tell.

    Nova asks Neutron for them for every document; here only the document that shows them waits, and
    stale ones will do.
    """
    return Memory(
        lambda uuid: groups.security_groups([uuid])[uuid],
        pool,
        clock=clock,
        ttl=behaviour.ttl,
        negative_ttl=behaviour.negative_ttl,
        stale_limit=behaviour.stale_limit,
        size=lambda names: 64 + sum(map(len, names)),
        limit=16 * _MIB,
    )
