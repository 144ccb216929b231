"""Instances to rows and back. The document is what counts; the other rows are found by."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Connection, Table, bindparam, delete, insert, select, update

from firstlight.instance import Instance
from firstlight.sources.store.documents.canonical import canonical_address
from firstlight.sources.store.errors import InstanceExists, Unreadable
from firstlight.sources.store.sql import tables
from firstlight.sources.uuids import is_uuid

_CHUNK = 500  # instances in one statement: far below every database's limit of parameters

_ADD = insert(tables.instance)
_CHANGE = update(tables.instance).where(tables.instance.c.uuid == bindparam("of"))
_INDEXES = (tables.address, tables.provider, tables.port)
_ADD_INDEX = {table: insert(table) for table in _INDEXES}
_DROP = {
    table: delete(table).where(table.c.uuid == bindparam("of"))
    for table in (tables.instance, tables.password, tables.condition, *_INDEXES)
}
_KNOWN = select(tables.instance.c.uuid).where(
    tables.instance.c.uuid.in_(bindparam("uuids", expanding=True))
)
_decoder = msgspec.json.Decoder(Instance)
_encoder = msgspec.json.Encoder(order="deterministic")


class Stored(NamedTuple):
    """An instance as read, and the revision that an update of it must name."""

    instance: Instance
    revision: int


def text_of(instance: Instance) -> str:
    """The canonical text of an instance; its password is kept elsewhere."""
    return _encoder.encode(msgspec.structs.replace(instance, password="")).decode()


def stored(document: str, revision: int, password: bytes | None) -> Stored:
    """What a row of one of the READ statements says.

    Raises:
        Unreadable: a later version wrote it.
    """
    try:
        instance = _decoder.decode(document)
    except msgspec.DecodeError as error:
        raise Unreadable(f"a document in it was not written by this version: {error}") from error
    if password is not None:
        posted = bytes(password).decode("utf-8", "surrogatepass")
        instance = msgspec.structs.replace(instance, password=posted)
    return Stored(instance, revision)


def read(connection: Connection, uuid: str) -> Stored | None:
    """One instance, or None."""
    if not is_uuid(uuid):  # a guest's header may say anything; PostgreSQL fails on some of it
        return None
    row = connection.execute(tables.READ_ONE, {"uuid": uuid}).first()
    return None if row is None else stored(*row)


def refuse_known(connection: Connection, uuids: Sequence[str]) -> None:
    """Refuse UUIDs that are stored, or come twice.

    Raises:
        InstanceExists: names each of them.
    """
    twice = [uuid for uuid, times in Counter(uuids).items() if times > 1]
    if twice:
        raise InstanceExists(f"given twice: {', '.join(twice)}", twice)
    for chunk in _chunks(uuids):
        stored_already = connection.execute(_KNOWN, {"uuids": chunk}).scalars().all()
        if stored_already:
            raise InstanceExists(
                f"stored already: {', '.join(sorted(stored_already))};"
                " `firstlight instance update` changes an instance",
                stored_already,
            )


def add(connection: Connection, instances: Sequence[Instance]) -> None:
    """Rows of new instances."""
    for chunk in _chunks(instances):
        connection.execute(_ADD, [{**_row(one), "revision": 1} for one in chunk])
        _index(connection, chunk)


def replace(connection: Connection, instance: Instance, revision: int) -> None:
    """Rows of a changed instance."""
    connection.execute(_CHANGE, {"of": instance.uuid, **_row(instance), "revision": revision})
    for table in _INDEXES:
        connection.execute(_DROP[table], {"of": instance.uuid})
    _index(connection, [instance])


def clear_password(connection: Connection, uuid: str) -> None:
    """The guest may post another one."""
    connection.execute(_DROP[tables.password], {"of": uuid})


def remove(connection: Connection, uuid: str) -> bool:
    """Every row but its EC2 id's; False if there were none."""
    if not is_uuid(uuid):
        return False
    gone = [connection.execute(statement, {"of": uuid}) for statement in _DROP.values()]
    return bool(gone[0].rowcount)


def _row(instance: Instance) -> dict[str, Any]:
    return {
        "uuid": instance.uuid,
        "project_id": instance.project_id,
        "name": instance.name,
        "document": text_of(instance),
    }


def _index(connection: Connection, instances: Sequence[Instance]) -> None:
    indexed: tuple[tuple[Table, set[tuple[str, ...]]], ...] = (
        (tables.address, {row for one in instances for row in _addresses(one)}),
        (tables.provider, {row for one in instances for row in _providers(one)}),
        (tables.port, {(card.port_id, one.uuid) for one in instances for card in one.interfaces}),
    )
    for table, rows in indexed:
        if rows:
            names = [column.name for column in table.columns]
            connection.execute(
                _ADD_INDEX[table], [dict(zip(names, row, strict=True)) for row in sorted(rows)]
            )


def _addresses(instance: Instance) -> Iterator[tuple[str, str, str]]:
    for network_id, subnet in _subnets(instance):
        for fixed in subnet.addresses:
            yield canonical_address(fixed.address), network_id, instance.uuid


def _providers(instance: Instance) -> Iterator[tuple[str, str, str]]:
    for network_id, subnet in _subnets(instance):
        for provider in subnet.service_providers:
            yield provider, network_id, instance.uuid


def _subnets(instance: Instance) -> Iterator[tuple[str, Any]]:
    for interface in instance.interfaces:
        if interface.network is not None:
            for subnet in interface.network.subnets:
                yield interface.network.id, subnet


def _chunks(items: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for start in range(0, len(items), _CHUNK):
        yield items[start : start + _CHUNK]
