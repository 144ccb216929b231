"""What only one server can have: a port, and an address on a network.

Neutron's database cannot hold two with the same. Here a copied document would take the running
server off its metadata: an address that several have is nobody's.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import Connection, bindparam, select

from firstlight.instance import Instance
from firstlight.sources.store.documents.canonical import canonical_address
from firstlight.sources.store.errors import Taken
from firstlight.sources.store.sql import tables

_CHUNK = 500  # values in one statement: far below every database's limit of parameters
_PORTS = (
    select(tables.port.c.port_id, tables.instance.c.uuid, tables.instance.c.name)
    .join_from(tables.port, tables.instance, tables.port.c.uuid == tables.instance.c.uuid)
    .where(tables.port.c.port_id.in_(bindparam("values", expanding=True)))
)
_ADDRESSES = (
    select(
        tables.address.c.address,
        tables.address.c.network_id,
        tables.instance.c.uuid,
        tables.instance.c.name,
    )
    .join_from(tables.address, tables.instance, tables.address.c.uuid == tables.instance.c.uuid)
    .where(tables.address.c.address.in_(bindparam("values", expanding=True)))
)


class UniqueResource(NamedTuple):
    """A port, or an address on a network."""

    port: str = ""
    address: str = ""
    network: str = ""

    def __str__(self) -> str:
        return f"port {self.port}" if self.port else f"{self.address} on network {self.network}"


class Holder(NamedTuple):
    """The server that has it."""

    uuid: str
    name: str

    def __str__(self) -> str:
        return f"{self.name} ({self.uuid})"


def refuse_taken(connection: Connection, instances: Sequence[Instance]) -> None:
    """Refuse instances that claim what another one has, stored or among them.

    Called with the writers' lock held. What is stored of these instances themselves is about to be
    replaced and does not count.

    Raises:
        Taken: with a line for each.
    """
    claimed: dict[UniqueResource, Holder] = {}
    lines = []
    for instance in instances:
        holder = Holder(instance.uuid, instance.name)
        for claim in dict.fromkeys(claims(instance)):
            other = claimed.setdefault(claim, holder)
            if other != holder:
                lines.append(_line(claim, holder, other))
    ours = {instance.uuid for instance in instances}
    for claim, other in _stored(connection, claimed):
        if other.uuid not in ours:
            lines.append(_line(claim, claimed[claim], other))
    if lines:
        raise Taken("\n".join(sorted(lines)))


def claims(instance: Instance) -> Iterator[UniqueResource]:
    """What this one has that no other can have."""
    for interface in instance.interfaces:
        yield UniqueResource(port=interface.port_id)
        for subnet in interface.network.subnets if interface.network is not None else ():
            for fixed in subnet.addresses:
                address = canonical_address(fixed.address)
                yield UniqueResource(address=address, network=interface.network.id)  # type: ignore[union-attr]


def _stored(
    connection: Connection, claimed: Mapping[UniqueResource, Holder]
) -> Iterator[tuple[UniqueResource, Holder]]:
    ports = sorted({claim.port for claim in claimed if claim.port})
    for chunk in _chunks(ports):
        for port_id, uuid, name in connection.execute(_PORTS, {"values": chunk}):
            yield UniqueResource(port=port_id), Holder(uuid, name)
    addresses = sorted({claim.address for claim in claimed if claim.address})
    for chunk in _chunks(addresses):
        for address, network, uuid, name in connection.execute(_ADDRESSES, {"values": chunk}):
            claim = UniqueResource(address=address, network=network)
            if claim in claimed:
                yield claim, Holder(uuid, name)


def _line(claim: UniqueResource, new: Holder, other: Holder) -> str:
    return f"{claim} cannot be given to {new}: {other} has it"


def _chunks(values: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(values), _CHUNK):
        yield values[start : start + _CHUNK]
