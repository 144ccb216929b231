"""The documents as a disk: OpenStack's config drive, version 2.

::

    files = contents(documents, ask, seed=os.urandom(64))     # every file by its path
    made = image(files, "iso9660", epoch=int(time.time()))    # pure: the same input, the same bytes
    write(made.chunks(), Path("disk.config"))                 # whole or not at all, mode 0600
    node["config_drive"] = b"".join(for_ironic(made.chunks()))

The tree is Nova's, see :mod:`firstlight.config_drive.contents`. The images are written here,
in Python.
genisoimage, which Nova runs, reads the clock and works on a directory of secrets in plain text;
xorriso could be told the time, but is one more package on every compute node, and a process for
each build; mkfs and a loop mount need root. What a config drive uses of ISO 9660 and FAT is a few
pages of each standard, and a build takes a millisecond or two. isoinfo, xorriso, mtools, fsck and
Linux read what is made: see the tests.
"""

from collections.abc import Mapping

from firstlight.config_drive import fat, iso9660
from firstlight.config_drive.contents import EC2_SKIPPED, SEED_LEAST, contents
from firstlight.config_drive.image import Image
from firstlight.config_drive.ironic import for_ironic
from firstlight.config_drive.output import write
from firstlight.config_drive.tree import LIMIT, Unwritable

LABEL = "config-2"  # what guests look for

__all__ = [
    "EC2_SKIPPED",
    "EPOCHS",
    "EPOCH_VARIABLE",
    "FORMATS",
    "LABEL",
    "LIMIT",
    "SEED_LEAST",
    "Image",
    "Unwritable",
    "contents",
    "epoch_of",
    "for_ironic",
    "image",
    "write",
]


# By Nova's names ([DEFAULT] config_drive_format), the usual one first.
FORMATS = {"iso9660": iso9660.image, "vfat": fat.image}
EPOCH_VARIABLE = "SOURCE_DATE_EPOCH"  # as reproducible-builds.org has it
EPOCHS = range(2**32)  # until 2106; FAT's dates end the year after


def image(files: Mapping[str, bytes], form: str, *, epoch: int) -> Image:
    """A config drive of these files; the same arguments give the same bytes.

    Args:
        files: content by path, as :func:`contents` has them.
        form: one of FORMATS.
        epoch: of EPOCHS, seconds since 1970 that every time on it is. FAT makes 1980 of what is
            earlier.

    Raises:
        Unwritable: a path is not one that every guest can read, or there is more than LIMIT.
        ValueError: there is no such form or time.
    """
    if form not in FORMATS:
        raise ValueError(f"a config drive is {' or '.join(FORMATS)}, not {form}")
    if epoch not in EPOCHS:
        raise ValueError(f"the time {epoch} is not from {EPOCHS.start} to {EPOCHS.stop - 1}")
    return FORMATS[form](files, label=LABEL, epoch=epoch)


def epoch_of(text: str) -> int:
    """The time that `text` names, seconds since 1970.

    Raises:
        ValueError: it is not one of EPOCHS.
    """
    if not text.isdecimal() or int(text) not in EPOCHS:
        raise ValueError(f"{text!r} is not a number of seconds below {EPOCHS.stop}")
    return int(text)
