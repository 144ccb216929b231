"""Config drives as volumes: Glance takes the image, Cinder makes a volume of it for the server.

So nobody needs Fibre Channel but Cinder's node, as for every other volume. All of it belongs to
the project of ``[cinder]``'s user: the server's owner sees none of it, and need not pay for it.
Nova knows nothing of the volume, so it cannot be detached by mistake.
"""

import math
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from keystoneauth1 import exceptions as ksa
from openstack import exceptions as sdk
from openstack.block_storage.v3.volume import Volume
from openstack.connection import Connection
from openstack.image.v2.image import Image
from oslo_log import log as logging

from firstlight_dpm.compute.boot import FIBRE_CHANNEL
from firstlight_dpm.compute.config_drives.contract import Drive, DriveFailed, DriveRefused

LOG = logging.getLogger(__name__)

_GIB = 1 << 30
_SOON = 10  # seconds until a volume that nobody has any more can be deleted
_TAGS = re.compile(r"\s*<[^>]*>\s*")


@dataclass(frozen=True)
class Volumes:
    """Writes each drive onto a volume of its own, of `volume_type`, or else Cinder's default.

    `patience` and `pause` are seconds: for a volume to be made, and between two looks at it.
    """

    cloud: Connection
    volume_type: str | None
    patience: int
    pause: int

    def write(self, drive: Drive) -> None:
        """See Writer."""
        self.remove(drive.name)
        with _attempting(f"uploading config drive {drive.name}"), drive.image.open("rb") as data:
            # Glance refuses an ISO 9660 file system that is said to be anything else.
            image = self.cloud.image.create_image(
                drive.name,
                data=data,
                disk_format="iso",
                container_format="bare",
                visibility="private",
                allow_duplicates=True,
            )
        with _attempting(f"making volume {drive.name} of it"):
            volume = self._made(drive, image.id)
        with _attempting(f"deleting the image of config drive {drive.name}"):
            self.cloud.image.delete_image(image)
        with _attempting(f"attaching volume {drive.name}"):
            self._attach(volume, drive)

    def remove(self, name: str) -> None:
        """See Writer; Cinder goes on deleting the volume after this has returned."""
        with _attempting(f"looking for the image of config drive {name}"):
            for image in self._images(name):
                with _given_up(f"image {image.id}, of config drive {name},"):
                    self.cloud.image.delete_image(image)
        with _attempting(f"deleting volume {name}"):
            for volume in self.cloud.block_storage.volumes(name=name):
                self._delete(volume)

    def names(self) -> list[str]:
        """See Writer."""
        with _attempting("asking Cinder for volumes"):
            return [str(volume.name) for volume in self.cloud.block_storage.volumes()]

    def check(self) -> None:
        """Raises DriveRefused if nothing could be written, DriveFailed if nobody knows."""
        with _attempting("asking Glance for images"):
            list(self._images("config-2"))
        with _attempting("asking Cinder for volumes"):
            list(self.cloud.block_storage.volumes(name="config-2"))
        with _attempting("asking Cinder for volume types"):
            if self.volume_type and self.cloud.block_storage.find_type(self.volume_type) is None:
                raise DriveRefused(
                    f"[dpm] config_drive_volume_type is {self.volume_type}, which Cinder has not; "
                    "openstack volume type list shows those that it has"
                )

    def _images(self, name: str) -> Iterable[Image]:
        # An administrator is shown other projects' as well.
        return self.cloud.image.images(name=name, owner=self.cloud.current_project_id)

    def _made(self, drive: Drive, image: str) -> Volume:
        volume = self.cloud.block_storage.create_volume(
            name=drive.name,
            description=f"Config drive of server {drive.server}",
            size=math.ceil(drive.image.stat().st_size / _GIB),
            image_id=image,
            volume_type=self.volume_type,
        )
        return self._await(volume, self.patience)

    def _attach(self, volume: Volume, drive: Drive) -> None:
        storage = self.cloud.block_storage
        # In two steps: of a mode that comes with the connector, the array is not told.
        attachment = storage.create_attachment(volume, instance=drive.server, mode="ro")
        attachment = storage.update_attachment(attachment, connector=drive.connector)
        told = attachment.connection_info
        reached = told.get("driver_volume_type")
        if reached != FIBRE_CHANNEL:
            raise DriveRefused(
                f"volume {drive.name} is reached by {reached}; set [dpm] config_drive_volume_type "
                "to a type that is reached by Fibre Channel"
            )
        if told.get("encrypted"):
            raise DriveRefused(
                f"volume {drive.name} would be encrypted by this node, which cannot; set [dpm] "
                "config_drive_volume_type to a type without encryption"
            )
        storage.complete_attachment(attachment)

    def _delete(self, volume: Volume) -> None:
        if volume.status == "deleting":
            return
        storage = self.cloud.block_storage
        # Not those that the volume names: it leaves out what was not completed.
        for attachment in storage.attachments(volume_id=volume.id):
            storage.delete_attachment(attachment)
        # One that could not be made can be deleted.
        with suppress(sdk.ResourceFailure, sdk.NotFoundException):
            self._await(volume, _SOON)
        with _given_up(f"volume {volume.id}, {volume.name},"):
            storage.delete_volume(volume)

    def _await(self, volume: Volume, patience: int) -> Volume:
        failures = ["error", "error_deleting"]
        return self.cloud.block_storage.wait_for_status(
            volume, "available", failures, interval=self.pause, wait=patience
        )


@contextmanager
def _given_up(what: str) -> Iterator[None]:
    """What nobody can reach any more, and is refused to be deleted, is somebody else's to do."""
    try:
        yield
    except (sdk.BadRequestException, sdk.ConflictException) as error:
        LOG.warning("%s is left for you to delete: %s", what, _said(error))


@contextmanager
def _attempting(attempt: str) -> Iterator[None]:
    """Whatever the SDK raises inside is raised as a DriveFailed that names the attempt."""
    try:
        yield
    except (sdk.ForbiddenException, ksa.Unauthorized) as error:
        raise DriveRefused(
            f"{attempt}: {_said(error)}; see that [cinder] names a user who has the role member "
            "in a project"
        ) from error
    except (sdk.SDKException, ksa.ClientException) as error:
        raise DriveFailed(f"{attempt}: {_said(error)}") from error


def _said(error: Exception) -> str:
    """Its text, without Glance's HTML."""
    return _TAGS.sub(" ", str(error)).strip()
