"""Config drives: filled as Nova fills them, on a volume that the partition reaches as well."""

from firstlight_dpm.compute.config_drives.configured import configured
from firstlight_dpm.compute.config_drives.contents import image
from firstlight_dpm.compute.config_drives.contract import Drive, DriveFailed, Writer

__all__ = ["Drive", "DriveFailed", "Writer", "configured", "image"]
