"""The few columns of Nova's tables that are read or written, and the statements that do it.

Nova marks rows as deleted by setting ``deleted`` to their id, so a living row has 0 there.
"""

from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    DateTime,
    Integer,
    Select,
    String,
    TableClause,
    Text,
    bindparam,
    cast,
    func,
    insert,
    literal_column,
    null,
    or_,
    select,
    union_all,
    update,
)
from sqlalchemy.sql import column, table

# The API database.
instance_mappings = table("instance_mappings", column("instance_uuid"), column("cell_id"))
cell_mappings = table(
    "cell_mappings", column("id"), column("uuid"), column("name"), column("database_connection")
)

CELL_OF = select(instance_mappings.c.cell_id).where(
    instance_mappings.c.instance_uuid == bindparam("uuid")
)
CELLS = select(
    cell_mappings.c.id,
    cell_mappings.c.uuid,
    cell_mappings.c.name,
    cell_mappings.c.database_connection,
).order_by(cell_mappings.c.id)

# A cell's database.
_TEXT = (
    *("project_id", "display_name", "hostname", "launch_index", "availability_zone"),
    *("key_name", "key_data", "user_data", "image_ref", "kernel_id", "ramdisk_id"),
    *("reservation_id", "root_device_name", "default_ephemeral_device", "default_swap_device"),
)
instances = table(
    "instances",
    column("id", Integer),
    column("uuid"),
    column("deleted", Integer),
    column("updated_at", DateTime),
    *(column(name) for name in _TEXT),
)
instance_extra = table(
    "instance_extra",
    column("instance_uuid"),
    column("flavor"),
    column("keypairs"),
    column("device_metadata"),
    column("numa_topology"),
)
info_caches = table("instance_info_caches", column("instance_uuid"), column("network_info"))
block_devices = table(
    "block_device_mapping",
    column("id", Integer),
    column("instance_uuid"),
    column("deleted", Integer),
    column("device_name"),
    column("source_type"),
    column("destination_type"),
    column("guest_format"),
)


def _pairs(name: str) -> TableClause:
    return table(
        name,
        column("id", Integer),
        column("instance_uuid"),
        column("key", String),
        column("value", String),
        column("deleted", Integer),
        column("created_at", DateTime),
        column("updated_at", DateTime),
    )


metadata = _pairs("instance_metadata")
system_metadata = _pairs("instance_system_metadata")


def _numbers(name: str) -> TableClause:
    return table(
        name,
        column("id", Integer),
        column("uuid", Text),
        column("deleted", Integer),
        column("created_at", DateTime),
    )


instance_ids = _numbers("instance_id_mappings")
images = _numbers("s3_images")

_UUID: BindParameter[str] = bindparam("uuid")

# Written out, what never changes costs neither side anything.
_LIVING: ColumnElement[int] = literal_column("0", Integer)
_READ = ("boot_roles", "instance_type_name")  # of the system metadata, beside the password
PART_COLUMNS = ("first", "second", "third", "fourth")

# Nothing keeps two processes from numbering the same thing twice; the lowest number counts.
_number = select(func.min(instance_ids.c.id)).where(instance_ids.c.uuid == _UUID).scalar_subquery()

INSTANCE = (
    select(
        *(instances.c[name] for name in ("uuid", *_TEXT)),
        *(instance_extra.c[n] for n in ("flavor", "keypairs", "device_metadata", "numa_topology")),
        info_caches.c.network_info,
        _number.label("number"),
    )
    .select_from(
        instances.outerjoin(
            instance_extra, instance_extra.c.instance_uuid == instances.c.uuid
        ).outerjoin(info_caches, info_caches.c.instance_uuid == instances.c.uuid)
    )
    .where(instances.c.uuid == _UUID, instances.c.deleted == 0)
)

NEWEST = (
    select(instances.c.uuid)
    .where(instances.c.deleted == 0)
    .order_by(instances.c.id.desc())
    .limit(1)
)

_is_password = system_metadata.c.key.startswith("password_", autoescape=True)
_is_read = or_(
    *(system_metadata.c.key == literal_column(f"'{key}'") for key in _READ), _is_password
)


def _part(name: str, rows: TableClause, *columns: str) -> Select[Any]:
    """Living rows of an instance as a part of one answer, in columns that all parts share.

    Cast, because tables that an operator made in different years may differ in their collation,
    and MySQL refuses to unite those.
    """
    shown = [cast(rows.c[column], String) for column in columns]
    shown += [cast(null(), String)] * (len(PART_COLUMNS) - len(shown))
    return select(
        literal_column(f"'{name}'").label("part"),
        rows.c.id,
        *(column.label(label) for column, label in zip(shown, PART_COLUMNS, strict=True)),
    ).where(rows.c.instance_uuid == _UUID, rows.c.deleted == _LIVING)


PARTS = union_all(
    _part("metadata", metadata, "key", "value"),
    _part("system", system_metadata, "key", "value").where(_is_read),
    _part("disk", block_devices, "device_name", "source_type", "destination_type", "guest_format"),
)

_UUIDS: BindParameter[list[str]] = bindparam("uuids", expanding=True)
IMAGE_NUMBERS = (
    select(images.c.uuid, func.min(images.c.id).label("number"))
    .where(images.c.uuid.in_(_UUIDS))
    .group_by(images.c.uuid)
)
INSTANCE_NUMBER = select(func.min(instance_ids.c.id)).where(instance_ids.c.uuid == _UUID)
ADD_IMAGE = insert(images)
ADD_INSTANCE_ID = insert(instance_ids)

LOCK_INSTANCE = (
    select(instances.c.uuid)
    .where(instances.c.uuid == _UUID, instances.c.deleted == 0)
    .with_for_update()
)
PASSWORD = (
    select(system_metadata.c.id, system_metadata.c.key, system_metadata.c.value)
    .where(system_metadata.c.instance_uuid == _UUID, system_metadata.c.deleted == 0, _is_password)
    .order_by(system_metadata.c.key)
)
TOUCH_INSTANCE = update(instances).where(instances.c.uuid == bindparam("of"))
CHANGE_PAIR = update(system_metadata).where(system_metadata.c.id == bindparam("row"))
ADD_PAIR = insert(system_metadata)
