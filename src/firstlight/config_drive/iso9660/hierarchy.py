"""One of a disc's two hierarchies: its directories, and the path tables that list them."""

import struct
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple

from firstlight.config_drive.iso9660 import rock_ridge
from firstlight.config_drive.iso9660.fields import NOWHERE, Extent, sectors
from firstlight.config_drive.iso9660.records import PARENT, THIS, extent, record
from firstlight.config_drive.tree import Tree

Places = Mapping[bytes, Extent]  # of files, by their content


class Naming(NamedTuple):
    """How a hierarchy names things.

    Attributes:
        identify: identifiers by name.
        as_file: what becomes of the identifier of a file.
        rocky: whether Rock Ridge's fields are in its records.
    """

    identify: Callable[[Iterable[str]], dict[str, bytes]]
    as_file: Callable[[bytes], bytes]
    rocky: bool


class IsoDirectory:
    """One directory; `number` is its place in the path table, `parent` None for the root."""

    def __init__(self, identifier: bytes, number: int, parent: "IsoDirectory | None") -> None:
        self.identifier = identifier
        self.number = number
        self.parent = parent
        self.place = NOWHERE
        self.entries: list[IsoEntry] = []

    @property
    def count(self) -> int:
        """Of directories in it."""
        return sum(isinstance(entry.value, IsoDirectory) for entry in self.entries)


class IsoEntry(NamedTuple):
    """What stands in a directory."""

    name: str
    identifier: bytes
    value: IsoDirectory | bytes


class Hierarchy:
    """A view of `tree`; `time` stands in every record (:func:`fields.short_time`).

    Attributes:
        tables: the path tables of type L and M, once settled.
    """

    def __init__(self, tree: Tree, naming: Naming, time: bytes) -> None:
        self._naming = naming
        self._time = time
        self._directories = list(_directories(tree, naming))
        self.tables = (NOWHERE, NOWHERE)

    @property
    def root(self) -> bytes:
        """The record that a volume descriptor has (§8.4.18)."""
        return record(THIS, self._directories[0].place, self._time, directory=True)

    def settle(self, sector: int) -> int:
        """Find a place for everything from `sector` on; the first sector after it."""
        size = len(self._path_table("<"))
        self.tables = Extent(sector, size), Extent(sector + sectors(size), size)
        sector += 2 * sectors(size)
        for directory in self._directories:
            size = len(extent(self._records(directory, {})))
            directory.place = Extent(sector, size)
            sector += sectors(size)
        return sector

    def pieces(self, files: Places) -> Iterator[tuple[int, bytes]]:
        """All that was settled, by its sector."""
        for byte_order, table in zip("<>", self.tables, strict=True):
            yield table.sector, self._path_table(byte_order)
        for directory in self._directories:
            yield directory.place.sector, extent(self._records(directory, files))

    def _path_table(self, byte_order: str) -> bytes:
        """§9.4; `byte_order` as :mod:`struct` has it, ``<`` for type L, ``>`` for type M."""
        return b"".join(
            struct.pack(
                f"{byte_order}BBIH",
                len(directory.identifier),
                0,
                directory.place.sector,
                (directory.parent or directory).number,
            )
            + directory.identifier
            + bytes(len(directory.identifier) % 2)
            for directory in self._directories
        )

    def _records(self, directory: IsoDirectory, files: Places) -> Iterator[bytes]:
        parent = directory.parent or directory
        use = self._use(directory)
        if directory is parent and self._naming.rocky:
            use = rock_ridge.FIRST + use + rock_ridge.EXTENSION
        yield record(THIS, directory.place, self._time, directory=True, use=use)
        yield record(PARENT, parent.place, self._time, directory=True, use=self._use(parent))
        for entry in directory.entries:
            yield self._record(entry, files)

    def _record(self, entry: IsoEntry, files: Places) -> bytes:
        value, use = entry.value, self._use(entry.value, entry.name)
        if isinstance(value, IsoDirectory):
            return record(entry.identifier, value.place, self._time, directory=True, use=use)
        place = files.get(value, NOWHERE)
        return record(self._naming.as_file(entry.identifier), place, self._time, use=use)

    def _use(self, value: IsoDirectory | bytes, name: str | None = None) -> bytes:
        if not self._naming.rocky:
            return b""
        count = value.count if isinstance(value, IsoDirectory) else None
        attributes = rock_ridge.attributes(directories=count)
        return attributes if name is None else attributes + rock_ridge.name(name)


def _directories(tree: Tree, naming: Naming) -> Iterator[IsoDirectory]:
    """In the path table's order (§6.9.1): by level, in it by parent, in it by identifier."""
    root = IsoDirectory(THIS, 1, None)
    waiting = [(root, tree)]
    for directory, node in waiting:  # which grows meanwhile
        identifiers = naming.identify(node)
        for name in sorted(identifiers, key=identifiers.__getitem__):
            value, identifier = node[name], identifiers[name]
            if isinstance(value, bytes):
                directory.entries.append(IsoEntry(name, identifier, value))
            else:
                below = IsoDirectory(identifier, len(waiting) + 1, directory)
                directory.entries.append(IsoEntry(name, identifier, below))
                waiting.append((below, value))
        yield directory
