"""The disk as a whole: boot sector, two tables, root directory, clusters."""

import struct
from collections.abc import Mapping

from firstlight.config_drive.fat import entries
from firstlight.config_drive.image import Image
from firstlight.config_drive.tree import LIMIT, Tree, Unwritable, tree

_SECTOR = 512
_PER_CLUSTER = 4  # sectors; 32,695 clusters make it a FAT16 ("FAT Type Determination")
_CLUSTER = _PER_CLUSTER * _SECTOR
_ROOT_ENTRIES = 512
_TABLE_SECTORS = 128
_FIRST = 2  # number of the first cluster
_MEDIA = 0xF8  # a fixed disk
_END = 0xFFFF  # of a chain of clusters

_TABLES = _SECTOR  # after the boot sector
_ROOT = _TABLES + 2 * _TABLE_SECTORS * _SECTOR
_DATA = _ROOT + _ROOT_ENTRIES * entries.ENTRY
_CLUSTERS = (LIMIT - _DATA) // _CLUSTER


def image(files: Mapping[str, bytes], *, label: str, epoch: int) -> Image:
    """A disk of 64 MiB with these files.

    Args:
        files: content by path, ``openstack/latest/meta_data.json``.
        label: volume label, at most 11 characters of ASCII.
        epoch: seconds since 1970 that every time on the disk is; those before 1980 are 1980.

    Raises:
        Unwritable: a path is not one that every reader can take, or there is no room for them.
    """
    disk = _Disk(epoch)
    name = label.encode().ljust(11)
    root = entries.short(name, attributes=entries.LABEL, epoch=epoch)
    root += disk.entries(tree(files), own=0)
    if len(root) > _DATA - _ROOT:
        raise Unwritable("the root directory has more names than a FAT16 has room for")
    table = disk.table()
    boot = _boot_sector(name, epoch)
    heads = ((0, boot), (_TABLES, table), (_TABLES + _TABLE_SECTORS * _SECTOR, table))
    return Image(LIMIT, (*heads, (_ROOT, root), *sorted(disk.pieces)))


class _Disk:
    """Clusters, given out one after another, so that every chain is its neighbours."""

    def __init__(self, epoch: int) -> None:
        self._epoch = epoch
        self._chains: list[int] = []  # clusters of each
        self._next = _FIRST
        self.pieces: list[tuple[int, bytes]] = []

    def entries(self, tree: Tree, *, own: int) -> bytes:
        """What the directory in cluster `own` says of `tree`, all of which is given a place."""
        said = b""
        for name, alias in entries.aliases(tree):
            value = tree[name]
            if isinstance(value, bytes):
                attributes, cluster, size = entries.FILE, self._store(value), len(value)
            else:
                attributes, cluster, size = entries.DIRECTORY, self._directory(value, own), 0
            said += entries.named(
                name,
                alias,
                attributes=attributes,
                epoch=self._epoch,
                cluster=cluster,
                size=size,
            )
        return said

    def table(self) -> bytes:
        """The file allocation table as far as it is used."""
        links = [_MEDIA | 0xFF00, _END]
        for length in self._chains:
            first = len(links)
            links += [*range(first + 1, first + length), _END]
        return struct.pack(f"<{len(links)}H", *links)

    def _directory(self, tree: Tree, parent: int) -> int:
        size = entries.ENTRY * (2 + sum(map(entries.count, tree)))
        own = self._take(size)
        dots = [
            entries.short(alias, attributes=entries.DIRECTORY, epoch=self._epoch, cluster=cluster)
            for alias, cluster in ((b".          ", own), (b"..         ", parent))
        ]
        self._put(own, b"".join(dots) + self.entries(tree, own=own))
        return own

    def _store(self, content: bytes) -> int:
        """An empty file has no cluster."""
        if not content:
            return 0
        first = self._take(len(content))
        self._put(first, content)
        return first

    def _take(self, size: int) -> int:
        count = -(-size // _CLUSTER)
        first, self._next = self._next, self._next + count
        if self._next > _FIRST + _CLUSTERS:
            raise Unwritable(f"the files do not fit a vfat drive of {LIMIT} bytes")
        self._chains.append(count)
        return first

    def _put(self, cluster: int, content: bytes) -> None:
        self.pieces.append((_DATA + (cluster - _FIRST) * _CLUSTER, content))


def _boot_sector(label: bytes, epoch: int) -> bytes:
    """ "Boot Sector and BPB Structure"; nothing boots from it."""
    head = b"\xeb\x3c\x90MSWIN4.1"
    # Sectors reserved, tables, their size; 32 sectors a track and 64 heads make 64 cylinders.
    parameters = struct.pack(
        "<HBHBHHBHHHII",
        *(_SECTOR, _PER_CLUSTER, 1, 2, _ROOT_ENTRIES, 0, _MEDIA, _TABLE_SECTORS, 32, 64, 0),
        LIMIT // _SECTOR,
    )
    extended = struct.pack("<BBBI", 0x80, 0, 0x29, epoch & 0xFFFFFFFF) + label + b"FAT16   "
    return (head + parameters + extended).ljust(_SECTOR - 2, b"\0") + b"\x55\xaa"
