"""ISO 9660 images with Rock Ridge and Joliet, as ``genisoimage -r -J`` makes them for Nova.

ISO 9660 is ECMA-119, Rock Ridge is IEEE P1282 on P1281 (SUSP), Joliet is Microsoft's specification
of 1995. Files of equal content are stored once: the same user data stands on a drive 13 times.
"""

from firstlight.config_drive.iso9660.volume import image

__all__ = ["image"]
