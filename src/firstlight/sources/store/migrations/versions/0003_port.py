"""Which ports instances have, so that no two have one."""

import json
from collections.abc import Iterator

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_CHUNK = 500  # instances whose documents are read at a time


def upgrade() -> None:
    """Make the table, if an interrupted run has not, and fill it from the documents."""
    tables = sa.MetaData()
    port = sa.Table(
        "port",
        tables,
        sa.Column("port_id", sa.String(255), primary_key=True),
        sa.Column("uuid", sa.String(36), primary_key=True, index=True),
        mysql_engine="InnoDB",
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
    )
    connection = op.get_bind()
    tables.create_all(connection)
    connection.execute(port.delete())  # what an interrupted run has left
    for rows in _rows(connection):
        connection.execute(port.insert(), rows)


def _rows(connection: sa.Connection) -> Iterator[list[dict[str, str]]]:
    instance = sa.table("instance", sa.column("uuid"), sa.column("document"))
    after = ""
    while True:
        found = connection.execute(
            sa.select(instance.c.uuid, instance.c.document)
            .where(instance.c.uuid > after)
            .order_by(instance.c.uuid)
            .limit(_CHUNK)
        ).all()
        if not found:
            return
        after = found[-1].uuid
        ports = {
            (interface["port_id"], row.uuid)
            for row in found
            for interface in json.loads(row.document).get("interfaces", ())
        }
        if ports:
            yield [{"port_id": port_id, "uuid": uuid} for port_id, uuid in sorted(ports)]
