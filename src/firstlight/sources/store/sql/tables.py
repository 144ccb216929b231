"""The tables, as the newest migration leaves them, and the statements that read them.

Names are short because the database is the store's own: ``[store] connection`` never names a
database that belongs to another program.
"""

from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    bindparam,
    select,
)
from sqlalchemy.dialects.mysql import MEDIUMTEXT

metadata = MetaData()

# Byte-wise comparison on MariaDB and MySQL too: their default takes "a" for "A".
_MYSQL: dict[str, Any] = {
    "mysql_engine": "InnoDB",
    "mysql_charset": "utf8mb4",
    "mysql_collate": "utf8mb4_bin",
}
NAME = 255  # the compute API's limit for names
UUID = 36
ADDRESS = 45  # the longest text of an IPv6 address

instance = Table(
    "instance",
    metadata,
    Column("uuid", String(UUID), primary_key=True),
    Column("project_id", String(NAME), nullable=False),
    Column("name", String(NAME), nullable=False, index=True),
    Column("revision", Integer, nullable=False),
    Column("document", Text().with_variant(MEDIUMTEXT, "mysql", "mariadb"), nullable=False),
    **_MYSQL,
)
address = Table(
    "address",
    metadata,
    Column("address", String(ADDRESS), primary_key=True),
    Column("network_id", String(NAME), primary_key=True),
    Column("uuid", String(UUID), primary_key=True, index=True),
    **_MYSQL,
)
# Which networks a provider (a load balancer) serves, and whose document says so.
provider = Table(
    "provider",
    metadata,
    Column("provider", String(NAME), primary_key=True),
    Column("network_id", String(NAME), primary_key=True),
    Column("uuid", String(UUID), primary_key=True, index=True),
    **_MYSQL,
)
port = Table(
    "port",
    metadata,
    Column("port_id", String(NAME), primary_key=True),
    Column("uuid", String(UUID), primary_key=True, index=True),
    **_MYSQL,
)
# Rows are never deleted, so a number is never given twice. Each kind counts for itself, because
# Nova's two tables do and their numbers are imported.
ec2_id = Table(
    "ec2_id",
    metadata,
    Column("kind", String(16), primary_key=True),
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("uuid", String(UUID), nullable=False),
    UniqueConstraint("kind", "uuid", name="ec2_id_of"),
    **_MYSQL,
)
password = Table(
    "password",
    metadata,
    Column("uuid", String(UUID), primary_key=True),
    # Bytes: a guest may post characters that PostgreSQL's text does not take.
    Column("password", LargeBinary, nullable=False),
    **_MYSQL,
)
# What somebody else found out about an instance, and nothing a guest is told.
condition = Table(
    "condition",
    metadata,
    Column("uuid", String(UUID), primary_key=True),
    Column("state", String(16), nullable=False),
    Column("reason", Text, nullable=False),
    Column("since", BigInteger, nullable=False),  # seconds since the epoch
    **_MYSQL,
)
change = Table(
    "change",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("uuid", String(UUID), nullable=False),
    **_MYSQL,
)
# One row. Every write locks it first, so changes are numbered in the order of their commits.
change_counter = Table(
    "change_counter",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("seq", BigInteger, nullable=False),
    **_MYSQL,
)

READ = select(instance.c.document, instance.c.revision, password.c.password).join_from(
    instance, password, instance.c.uuid == password.c.uuid, isouter=True
)
READ_ONE = READ.where(instance.c.uuid == bindparam("uuid"))
READ_NAMED = READ.where(instance.c.name == bindparam("name")).order_by(instance.c.uuid)
READ_ALL = READ.order_by(instance.c.name, instance.c.uuid)
AT_ADDRESS = READ.where(
    instance.c.uuid.in_(select(address.c.uuid).where(address.c.address == bindparam("address")))
).order_by(instance.c.uuid)
_SERVED = select(provider.c.network_id).where(provider.c.provider == bindparam("provider"))
SERVED = _SERVED.limit(1)
AT_PROVIDER = READ.where(
    instance.c.uuid.in_(
        select(address.c.uuid).where(
            address.c.address == bindparam("address"), address.c.network_id.in_(_SERVED)
        )
    )
).order_by(instance.c.uuid)
COUNTER = select(change_counter.c.seq)
LOCK_COUNTER = COUNTER.with_for_update()
CHANGES = (
    select(change.c.seq, change.c.uuid)
    .where(change.c.seq > bindparam("seen"))
    .order_by(change.c.seq)
)
