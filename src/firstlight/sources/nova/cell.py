"""One cell: the database in which Nova keeps some of the instances."""

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import Connection

from firstlight.instance import Ec2Ids, Instance
from firstlight.sources.nova import password, tables
from firstlight.sources.nova.database import NovaDatabase
from firstlight.sources.nova.ec2 import Ec2Numbers
from firstlight.sources.nova.records.injected import Render
from firstlight.sources.nova.records.record import InstanceRecord


class Cell:
    """Reads and writes one cell's database.

    An instance costs two queries, one more for images nobody has asked about in this process,
    and a transaction if something of it has no EC2 number yet.

    Args:
        render: makes the legacy ``network_config``; None: there never is one.
        now: the time in UTC, without a zone.
    """

    def __init__(
        self, database: NovaDatabase, *, render: Render | None, now: Callable[[], datetime]
    ) -> None:
        self.database = database
        self._render = render
        self._now = now
        self._ec2 = Ec2Numbers(database, now)

    def instance(self, uuid: str) -> Instance | None:
        """The instance; None if it is not here or was deleted.

        Raises:
            SourceUnavailable: the database could not be asked, or holds what this version cannot
                read.
        """
        with self.database.reading(f"read instance {uuid}") as connection:
            record = _record(connection, uuid)
            if record is None:
                return None
            row = record.row
            images = self._ec2.read(connection, (row.image_ref, row.kernel_id, row.ramdisk_id))
        return record.instance(self._ec2.ids(row, images), self._render)

    def newest(self) -> str | None:
        """The UUID of the instance that was made last, for who wants to try one; None: none is.

        Raises:
            SourceUnavailable: the database could not be asked.
        """
        with self.database.reading("look for its newest instance") as connection:
            uuid: str | None = connection.execute(tables.NEWEST).scalar()
        return uuid

    def unnumbered(self, uuid: str) -> Instance | None:
        """The instance with 0 for each EC2 number: reads it and writes nothing.

        Raises:
            SourceUnavailable: as :meth:`instance`.
        """
        with self.database.reading(f"read instance {uuid}") as connection:
            record = _record(connection, uuid)
        return None if record is None else record.instance(Ec2Ids(instance=0), self._render)

    def set_password(self, uuid: str, text: str) -> None:
        """Store what the guest posted.

        Raises:
            PasswordSet, InstanceGone, SourceUnavailable: nothing was stored.
        """
        with self.database.writing(f"store a password of instance {uuid}") as connection:
            password.store(connection, uuid, text, self._now())


def _record(connection: Connection, uuid: str) -> InstanceRecord | None:
    row = connection.execute(tables.INSTANCE, {"uuid": uuid}).first()
    if row is None:
        return None
    parts = connection.execute(tables.PARTS, {"uuid": uuid}).all()
    return InstanceRecord(row, parts)
