"""The documents as a disk: OpenStack's config drive, version 2.

::

    files = contents(documents, ask, seed=os.urandom(64))    # every file by its path
    image = IMAGES["iso9660"](files, epoch=int(time.time())) # pure: the same input, the same bytes
    write(image.chunks(), Path("disk.config"))               # whole or not at all, mode 0600

The tree is Nova's, see :mod:`firstlight.drive.contents`. The images are written here, in Python.
genisoimage, which Nova runs, reads the clock and works on a directory of secrets in plain text;
xorriso could be told the time, but is one more package on every compute node, and a process for
each build; mkfs and a loop mount need root. What a config drive uses of ISO 9660 and FAT is a few
pages of each standard, and a build takes a millisecond or two. isoinfo, xorriso, mtools, fsck and
Linux read what is made: see the tests.
"""

from collections.abc import Callable, Mapping

from firstlight.drive import fat, iso9660
from firstlight.drive.contents import EC2_SKIPPED, SEED_LEAST, contents
from firstlight.drive.image import Image
from firstlight.drive.ironic import for_ironic
from firstlight.drive.output import write
from firstlight.drive.tree import LIMIT, Unwritable

LABEL = "config-2"  # what guests look for

__all__ = [
    "EC2_SKIPPED",
    "IMAGES",
    "LABEL",
    "LIMIT",
    "SEED_LEAST",
    "Image",
    "Unwritable",
    "contents",
    "for_ironic",
    "write",
]


def _iso9660(files: Mapping[str, bytes], *, epoch: int) -> Image:
    return iso9660.image(files, label=LABEL, epoch=epoch)


def _vfat(files: Mapping[str, bytes], *, epoch: int) -> Image:
    return fat.image(files, label=LABEL, epoch=epoch)


# By Nova's names of them ([DEFAULT] config_drive_format).
IMAGES: Mapping[str, Callable[..., Image]] = {"iso9660": _iso9660, "vfat": _vfat}
