"""FAT16 images with long names, of 64 MiB as Nova makes them, without mkfs, mounts or root.

By Microsoft's specification (``fatgen103``, FAT 1.03 of 2000); section names below are its.
"""

from firstlight.config_drive.fat.volume import image

__all__ = ["image"]
