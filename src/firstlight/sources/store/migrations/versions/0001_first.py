"""The first tables.

MariaDB and MySQL commit each CREATE TABLE by itself, so every statement here may find that an
interrupted run has done its work already.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.mysql import MEDIUMTEXT

revision = "0001"
down_revision = None

_MYSQL: dict[str, Any] = {
    "mysql_engine": "InnoDB",
    "mysql_charset": "utf8mb4",
    "mysql_collate": "utf8mb4_bin",
}


def upgrade() -> None:
    """Make the tables and the one row of the counter."""
    tables = _tables()
    connection = op.get_bind()
    tables.create_all(connection)
    counter = tables.tables["change_counter"]
    if connection.execute(sa.select(counter.c.seq)).first() is None:
        connection.execute(counter.insert(), {"id": 1, "seq": 0})


def _tables() -> sa.MetaData:
    tables = sa.MetaData()
    document = sa.Text().with_variant(MEDIUMTEXT, "mysql", "mariadb")
    sa.Table(
        "instance",
        tables,
        sa.Column("uuid", sa.String(36), primary_key=True),
        sa.Column("project_id", sa.String(255), nullable=False),
        sa.Column("name", sa.String(255), nullable=False, index=True),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("document", document, nullable=False),
        **_MYSQL,
    )
    for name, key, length in (("address", "address", 45), ("provider", "provider", 255)):
        sa.Table(
            name,
            tables,
            sa.Column(key, sa.String(length), primary_key=True),
            sa.Column("network_id", sa.String(255), primary_key=True),
            sa.Column("uuid", sa.String(36), primary_key=True, index=True),
            **_MYSQL,
        )
    sa.Table(
        "ec2_id",
        tables,
        sa.Column("kind", sa.String(16), primary_key=True),
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("uuid", sa.String(36), nullable=False),
        sa.UniqueConstraint("kind", "uuid", name="ec2_id_of"),
        **_MYSQL,
    )
    sa.Table(
        "password",
        tables,
        sa.Column("uuid", sa.String(36), primary_key=True),
        sa.Column("password", sa.LargeBinary, nullable=False),
        **_MYSQL,
    )
    sa.Table(
        "change",
        tables,
        sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("uuid", sa.String(36), nullable=False),
        **_MYSQL,
    )
    sa.Table(
        "change_counter",
        tables,
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
        **_MYSQL,
    )
    return tables
