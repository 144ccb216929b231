"""The few columns of Nova's tables that are read or written, and the statements that do it.

Nova marks rows as deleted by setting ``deleted`` to their id, so a living row has 0 there.
"""

from sqlalchemy import (
    BindParameter,
    DateTime,
    Integer,
    String,
    TableClause,
    Text,
    bindparam,
    func,
    insert,
    literal,
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
_read_keys = or_(_is_password, system_metadata.c.key.in_(("boot_roles", "instance_type_name")))
PAIRS = union_all(
    select(literal("user").label("owner"), metadata.c.id, metadata.c.key, metadata.c.value).where(
        metadata.c.instance_uuid == _UUID, metadata.c.deleted == 0
    ),
    select(
        literal("system").label("owner"),
        system_metadata.c.id,
        system_metadata.c.key,
        system_metadata.c.value,
    ).where(system_metadata.c.instance_uuid == _UUID, system_metadata.c.deleted == 0, _read_keys),
)
BLOCK_DEVICES = (
    select(
        block_devices.c.device_name,
        block_devices.c.source_type,
        block_devices.c.destination_type,
        block_devices.c.guest_format,
    )
    .where(block_devices.c.instance_uuid == _UUID, block_devices.c.deleted == 0)
    .order_by(block_devices.c.id)
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
