"""A Fibre Channel disk array for real Cinder whose volumes are sparse files; no fibre leaves it.

What it has zoned is a file beside the volume's, named VOLUME.zoned, with the host's connector, so
that tests see which WWPNs Cinder was given and that none are left.
"""

import json
from pathlib import Path

from cinder import exception
from cinder.volume import driver
from oslo_config import cfg

TARGETS = ("500507680b21ac41", "500507680b22ac41")
_GIB = 1 << 30

cfg.CONF.register_opts([cfg.StrOpt("array_directory")], group="array")


class ArrayOfFiles(driver.FibreChannelDriver):
    """Volumes can be made, filled from raw images, attached and deleted."""

    VERSION = "1"
    CI_WIKI_NAME = "none"

    def do_setup(self, context):
        """Called once, before anything else."""
        self._directory = Path(cfg.CONF.array.array_directory)
        self._directory.mkdir(exist_ok=True)

    def check_for_setup_error(self):
        """Nothing can be wrong."""

    def create_volume(self, volume):
        """An empty volume."""
        with self._file(volume).open("wb") as file:
            file.truncate(volume.size * _GIB)

    def clone_image(self, context, volume, image_location, image_meta, image_service):
        """A volume with an image's bytes, straight from Glance, as the images here need no
        conversion."""
        self._refuse(volume, "making")
        self.create_volume(volume)
        with self._file(volume).open("r+b") as file:
            image_service.download(context, image_meta["id"], data=file)
        return {}, True

    def delete_volume(self, volume):
        """Away with it; it may never have been there."""
        self._file(volume).unlink(missing_ok=True)

    def ensure_export(self, context, volume):
        """Fibre Channel exports to initiators, when they are known."""

    def create_export(self, context, volume, connector):
        """Fibre Channel exports to initiators, when they are known."""

    def remove_export(self, context, volume):
        """Fibre Channel exports to initiators, when they are known."""

    def initialize_connection(self, volume, connector):
        """Zone the volume to every WWPN of the connector."""
        self._refuse(volume, "zoning")
        self._zoned(volume).write_text(json.dumps(connector))
        return {
            "driver_volume_type": "fibre_channel",
            "data": {
                "target_discovered": True,
                "target_lun": 1,
                "target_wwn": list(TARGETS),
                "initiator_target_map": {wwpn: list(TARGETS) for wwpn in connector["wwpns"]},
            },
        }

    def terminate_connection(self, volume, connector, **kwargs):
        """Zone it to nobody."""
        self._zoned(volume).unlink(missing_ok=True)
        return {"driver_volume_type": "fibre_channel", "data": {}}

    def _update_volume_stats(self):
        self._stats = {
            "volume_backend_name": "array",
            "vendor_name": "tests",
            "driver_version": self.VERSION,
            "storage_protocol": "FC",
            "total_capacity_gb": "infinite",
            "free_capacity_gb": "infinite",
        }

    def _refuse(self, volume, work):
        drive = volume.display_name.endswith("-config-2")
        if drive and (self._directory / f"no-{work}").exists():
            raise exception.VolumeDriverException(message="the array is out of order")

    def _file(self, volume):
        return self._directory / volume.id

    def _zoned(self, volume):
        return self._directory / f"{volume.id}.zoned"
