"""EC2 numbers of instances and images, kept in the cell's database and shared with Nova.

Nova numbers an instance when it is made, and an image when a guest first asks. Whoever comes first
inserts a row, and its auto-increment id is the number. Neither table is unique in the UUID, so that
two at once may insert one each; Nova then takes the first it finds, which is the lowest, and so do
we. Among our own processes the lock keeps it from happening.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from firstlight.instance import Ec2Ids
from firstlight.sources.nova import tables
from firstlight.sources.nova.database import NovaDatabase

_LOCK = "firstlight ec2 numbers"
_REMEMBERED = 10_000  # images of one cell


class Ec2Numbers:
    """Those of one cell. Images' numbers never change, so each is read once.

    Args:
        now: the time in UTC, without a zone, as Nova's columns have it.
    """

    def __init__(self, database: NovaDatabase, now: Callable[[], datetime]) -> None:
        self._database = database
        self._now = now
        self._images: dict[str, int] = {}

    def read(self, connection: Connection, images: Iterable[str | None]) -> Mapping[str, int]:
        """The numbers these images have; those without one are not in it."""
        wanted = {image for image in images if image}
        unknown = wanted - self._images.keys()
        if unknown:
            if len(self._images) > _REMEMBERED:
                self._images = {}
            self._images |= _image_numbers(connection, unknown)
        return {image: number for image, number in self._images.items() if image in wanted}

    def ids(self, row: Any, numbers: Mapping[str, int]) -> Ec2Ids:
        """The numbers of an instance's row and its images, allotted where there is none yet.

        Raises:
            SourceUnavailable: the database could not be asked.
        """
        images = {image for image in (row.image_ref, row.kernel_id, row.ramdisk_id) if image}
        number = row.number
        if number is None or images - numbers.keys():
            number, numbers = self._allot(row.uuid, images)
        return Ec2Ids(
            instance=number,
            image=numbers.get(row.image_ref),
            kernel=numbers.get(row.kernel_id),
            ramdisk=numbers.get(row.ramdisk_id),
        )

    def _allot(self, uuid: str, images: set[str]) -> tuple[int, Mapping[str, int]]:
        with self._database.writing(f"number instance {uuid}", lock=_LOCK) as connection:
            if connection.scalar(tables.INSTANCE_NUMBER, {"uuid": uuid}) is None:
                connection.execute(tables.ADD_INSTANCE_ID, self._row(uuid))
            for image in sorted(images - _image_numbers(connection, images).keys()):
                connection.execute(tables.ADD_IMAGE, self._row(image))
        # Read after the commit: Nova, which takes no lock, may have been quicker.
        with self._database.reading(f"read the numbers of instance {uuid}") as connection:
            number = connection.scalar(tables.INSTANCE_NUMBER, {"uuid": uuid})
            assert number is not None  # Nova never takes one away
            return number, self.read(connection, images)

    def _row(self, uuid: str) -> dict[str, Any]:
        return {"uuid": uuid, "deleted": 0, "created_at": self._now()}


def _image_numbers(connection: Connection, images: set[str]) -> dict[str, int]:
    if not images:
        return {}
    found = connection.execute(tables.IMAGE_NUMBERS, {"uuids": sorted(images)})
    return {row.uuid: row.number for row in found}
