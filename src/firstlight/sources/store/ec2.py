"""EC2 ids: numbers for instances and images, given once and never again.

Kernels and ramdisks are images: Nova numbers all three from one table, and so do we.
"""

from collections.abc import Iterator, Mapping, Sequence

import msgspec
from sqlalchemy import Connection, Select, bindparam, func, insert, select

from firstlight.instance import Ec2Ids, Instance
from firstlight.sources.store.errors import Ec2IdTaken
from firstlight.sources.store.sql import tables

HIGHEST = 2**31 - 1  # Nova's column
CHUNK = 500  # names in one statement: SQLite's and the servers' limits are far above

Thing = tuple[str, str]  # kind ("instance" or "image") and UUID

_ids = tables.ec2_id
_OF = select(_ids.c.uuid, _ids.c.id).where(
    _ids.c.kind == bindparam("kind"), _ids.c.uuid.in_(bindparam("uuids", expanding=True))
)
_BY = select(_ids.c.uuid, _ids.c.id).where(
    _ids.c.kind == bindparam("kind"), _ids.c.id.in_(bindparam("ids", expanding=True))
)
_HIGHEST = select(func.max(_ids.c.id)).where(_ids.c.kind == bindparam("kind"))
_GIVE = insert(_ids)


def allot(connection: Connection, instances: Sequence[Instance]) -> list[Instance]:
    """The same instances, each with its EC2 ids: those it had, was given, or the next free ones.

    Called with the writers' lock held, so that no two writers count at once.

    Raises:
        Ec2IdTaken: a given number is another's, or the thing has another number.
    """
    given = _given(instances)
    for kind in ("instance", "image"):
        _import(connection, kind, {uuid: id_ for (k, uuid), id_ in given.items() if k == kind})
    numbers = {
        (kind, uuid): number
        for kind in ("instance", "image")
        for uuid, number in _numbers(connection, kind, instances).items()
    }
    return [_filled(instance, numbers) for instance in instances]


def _things(instance: Instance) -> Iterator[tuple[str, Thing]]:
    """Everything of an instance that has a number, by the field of Ec2Ids it is kept in."""
    yield "instance", ("instance", instance.uuid)
    for field, image in (
        ("image", instance.image_id),
        ("kernel", instance.kernel_id),
        ("ramdisk", instance.ramdisk_id),
    ):
        if image:
            yield field, ("image", image)


def _given(instances: Sequence[Instance]) -> Mapping[Thing, int]:
    """The numbers the documents bring along, which must agree with each other."""
    given: dict[Thing, int] = {}
    for instance in instances:
        for field, thing in _things(instance):
            number = getattr(instance.ec2_ids, field, None)
            if number is not None and given.setdefault(thing, number) != number:
                raise Ec2IdTaken(f"{_named(thing)} is given two EC2 ids: {given[thing]}, {number}")
    return given


def _import(connection: Connection, kind: str, given: Mapping[str, int]) -> None:
    """Enter given numbers, unless they are entered already."""
    owners: dict[int, str] = {}
    for uuid, number in given.items():
        if owners.setdefault(number, uuid) != uuid:
            raise _taken((kind, uuid), number, owners[number])
    for uuid, number in _select(connection, _BY, kind, "ids", list(owners)):
        if owners[number] != uuid:
            raise _taken((kind, owners[number]), number, uuid)
    known = dict(_select(connection, _OF, kind, "uuids", list(given)))
    for uuid, number in known.items():
        if given[uuid] != number:
            raise Ec2IdTaken(
                f"{_named((kind, uuid))} has EC2 id {number} for ever and cannot have"
                f" {given[uuid]}: leave ec2_ids out of the document"
            )
    _enter(connection, kind, {uuid: id_ for uuid, id_ in given.items() if uuid not in known})


def _numbers(connection: Connection, kind: str, instances: Sequence[Instance]) -> Mapping[str, int]:
    """Every thing's number; who has none is given the next after the highest."""
    things = (thing for instance in instances for _, thing in _things(instance))
    wanted = list(dict.fromkeys(uuid for k, uuid in things if k == kind))
    numbers = dict(_select(connection, _OF, kind, "uuids", wanted))
    highest = connection.execute(_HIGHEST, {"kind": kind}).scalar_one() or 0
    new = {
        uuid: highest + n for n, uuid in enumerate((u for u in wanted if u not in numbers), start=1)
    }
    if new and max(new.values()) > HIGHEST:
        raise Ec2IdTaken(f"EC2 ids of kind {kind} are used up: {HIGHEST} is the highest there is")
    _enter(connection, kind, new)
    return numbers | new


def _enter(connection: Connection, kind: str, numbers: Mapping[str, int]) -> None:
    if numbers:
        rows = [{"kind": kind, "uuid": uuid, "id": number} for uuid, number in numbers.items()]
        connection.execute(_GIVE, rows)


def _select(
    connection: Connection,
    statement: Select[tuple[str, int]],
    kind: str,
    name: str,
    values: Sequence[str | int],
) -> Iterator[tuple[str, int]]:
    for start in range(0, len(values), CHUNK):
        found = connection.execute(statement, {"kind": kind, name: values[start : start + CHUNK]})
        yield from ((row.uuid, row.id) for row in found)


def _filled(instance: Instance, numbers: Mapping[Thing, int]) -> Instance:
    ids = {field: numbers[thing] for field, thing in _things(instance)}
    return msgspec.structs.replace(instance, ec2_ids=Ec2Ids(**ids))


def _taken(thing: Thing, number: int, owner: str) -> Ec2IdTaken:
    return Ec2IdTaken(
        f"EC2 id {number} was given to {_named((thing[0], owner))} and cannot be"
        f" {_named(thing)}'s: give another, or none"
    )


def _named(thing: Thing) -> str:
    return " ".join(thing)
