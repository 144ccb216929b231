"""Which cell an instance is in."""

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, NamedTuple, Protocol

from firstlight.health import Dependency
from firstlight.sources.contract import SourceUnavailable
from firstlight.sources.nova import tables
from firstlight.sources.nova.cell import Cell
from firstlight.sources.nova.database import NovaDatabase
from firstlight.sources.nova.engine import BadConnection

LOG = logging.getLogger(__name__)

# Told the name and URL of a cell as they stand in its mapping; raises BadConnection.
Connect = Callable[[str, str], Cell]


class Cells(Protocol):
    """Where instances are."""

    def of(self, uuid: str) -> Cell | None:
        """The cell in which the instance is, if it exists; None: it is in no cell.

        Raises:
            SourceUnavailable: nobody could be asked.
        """

    def known(self) -> Sequence[Cell]:
        """Every cell known so far. Asks nobody."""

    def prepare(self) -> None:
        """Learn of every cell now instead of when one is asked for.

        Raises:
            SourceUnavailable: the cells could not be asked for.
        """

    def dependencies(self) -> Sequence[Dependency]:
        """Every database known so far, those of the cells last. Asks nobody."""

    def trouble(self) -> str | None:
        """Why no instance can be found; None: nothing is known against it. Asks nobody."""

    def close(self) -> None:
        """Close every connection that is not in use."""


class OneCell:
    """``[api] local_metadata_per_cell``: the service knows its own cell's database only."""

    def __init__(self, cell: Cell) -> None:
        self._cell = cell

    def of(self, _uuid: str) -> Cell:
        """The one."""
        return self._cell

    def known(self) -> Sequence[Cell]:
        """The one."""
        return (self._cell,)

    def prepare(self) -> None:
        """There is nothing to learn."""

    def dependencies(self) -> Sequence[Dependency]:
        """The one."""
        return (self._cell.database.dependency,)

    def trouble(self) -> str | None:
        """Why the cell's database did not answer."""
        return self._cell.database.trouble

    def close(self) -> None:
        """Close its connections."""
        self._cell.database.close()


class Mapped(NamedTuple):
    """A cell mapping."""

    name: str
    url: str  # as it stands in the mapping
    cell: Cell | None
    trouble: str = ""  # why there is no cell


class MappedCells:
    """All cells of the API database.

    An instance's mapping is read each time, with one query: a cross-cell resize changes it. The
    list of cells is read anew when it is `ttl` seconds old or does not have a cell that is asked
    for; a cell whose URL has changed gets new connections.

    Args:
        own: the cell of ``[database] connection``: as in Nova, where an instance without a mapping,
            or mapped to no cell yet, is looked for. None: it is nowhere.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        api: NovaDatabase,
        own: Cell | None,
        connect: Connect,
        *,
        ttl: float,
        clock: Callable[[], float],
    ) -> None:
        self.api = api
        self._own = own
        self._connect = connect
        self._ttl = ttl
        self._clock = clock
        self._refreshing = threading.Lock()
        self._cells: Mapping[int, Mapped] = {}
        self._read_at: float | None = None

    def of(self, uuid: str) -> Cell | None:
        """The cell the instance is mapped to, else our own."""
        with self.api.reading(f"look for the cell of instance {uuid}") as connection:
            row = connection.execute(tables.CELL_OF, {"uuid": uuid}).first()
        if row is None:
            LOG.debug("instance %s has no mapping in %s", uuid, self.api.name)
        if row is None or row.cell_id is None:
            return self._own
        return self._cell(row.cell_id)

    def known(self) -> Sequence[Cell]:
        """Our own, and those of the list as it was last read."""
        cells = [self._own, *(one.cell for one in self._cells.values())]
        return list(dict.fromkeys(cell for cell in cells if cell is not None))

    def mapped(self) -> Sequence[Mapped]:
        """The list of cells as it was last read. Asks nobody."""
        return list(self._cells.values())

    def prepare(self) -> None:
        """Read the list of cells."""
        self._refresh()

    def dependencies(self) -> Sequence[Dependency]:
        """The API database and the cells', also those whose URL cannot be used."""
        databases = (self.api, *(cell.database for cell in self.known()))
        unusable = (one for one in self._cells.values() if one.cell is None)
        return [
            *(database.dependency for database in databases),
            *(Dependency(one.name, partial(str, one.trouble), self._retry) for one in unusable),
        ]

    def _retry(self) -> None:
        """The mapping may have been corrected."""
        with suppress(SourceUnavailable):
            self._refresh()

    def trouble(self) -> str | None:
        """Why the API database did not answer, or all cells; one cell concerns only its own."""
        if self.api.trouble is not None:
            return self.api.trouble
        cells = [cell.database.trouble for cell in self.known()]
        return "; ".join(map(str, cells)) if cells and all(cells) else None

    def close(self) -> None:
        """Close the connections to all databases."""
        self.api.close()
        for cell in self.known():
            cell.database.close()

    def _cell(self, number: int) -> Cell:
        if number not in self._cells or self._is_old():
            self._refresh()
        mapped = self._cells.get(number)
        if mapped is None:
            raise SourceUnavailable(
                f"Nova's {self.api.name} maps an instance to cell {number}, and has no such cell"
            )
        if mapped.cell is None:
            raise SourceUnavailable(mapped.trouble)
        return mapped.cell

    def _is_old(self) -> bool:
        return self._read_at is None or self._clock() > self._read_at + self._ttl

    def _refresh(self) -> None:
        asked_at = self._clock()
        with self._refreshing:
            if self._read_at is not None and self._read_at > asked_at:
                return  # somebody else has just read it
            with self.api.reading("list the cells") as connection:
                rows = connection.execute(tables.CELLS).all()
            old = self._cells
            self._cells = {row.id: self._mapped(old.get(row.id), row) for row in rows}
            self._read_at = self._clock()
        _close_all_but(self._cells, old)

    def _mapped(self, old: Mapped | None, row: Any) -> Mapped:
        name = f"cell {row.name or row.uuid}"
        if old is not None and (old.name, old.url) == (name, row.database_connection):
            return old
        try:
            cell = self._connect(name, row.database_connection)
        except BadConnection as error:
            LOG.warning("%s in the cell mappings of %s: %s", name, self.api.name, error)
            return Mapped(name, row.database_connection, None, f"Nova's {name}: {error}")
        return Mapped(name, row.database_connection, cell)


def _close_all_but(kept: Mapping[int, Mapped], old: Mapping[int, Mapped]) -> None:
    living = {id(one.cell) for one in kept.values()}
    for one in old.values():
        if one.cell is not None and id(one.cell) not in living:
            one.cell.database.close()
