"""Nova's databases as a :class:`~firstlight.sources.contract.Source`."""

from collections.abc import Callable, Sequence

from firstlight.health import Dependency
from firstlight.instance import Instance
from firstlight.sources.contract import InstanceGone, SourceUnavailable
from firstlight.sources.nova.cells import Cells
from firstlight.sources.nova.schema import TooOld
from firstlight.sources.uuids import is_uuid


class NovaSource:
    """Instances where Nova keeps them. Safe to use from many threads; one per process.

    Nova has no list of changes, so that how fresh an instance is depends on how long its reader
    keeps it. Security groups are not among what is read: they are Neutron's.

    Args:
        cells: finds the database of an instance.
    """

    def __init__(self, cells: Cells) -> None:
        self._cells = cells

    def prepare(self) -> Sequence[str]:
        """Look at every database's schema; returns what is in the way of some instances.

        A database that does not answer is among it: it may come back.

        Raises:
            TooOld: a database is one that this version does not read.
        """
        troubles = [self._told(self._cells.prepare)]
        troubles += [self._told(cell.database.prepare) for cell in self._cells.known()]
        return [trouble for trouble in troubles if trouble is not None]

    def _told(self, prepare: Callable[[], None]) -> str | None:
        try:
            prepare()
        except TooOld:
            raise
        except SourceUnavailable as error:
            return str(error)
        return None

    def healthy(self) -> str | None:
        """Why no instance can be found; None: nothing is known against it. Asks nobody.

        A cell that is away is not meant, unless all are: the instances of the others are found.
        """
        return self._cells.trouble()

    def dependencies(self) -> Sequence[Dependency]:
        """Every database known so far, and cells of which none can be opened. Asks nobody."""
        return self._cells.dependencies()

    def close(self) -> None:
        """Close the connections."""
        self._cells.close()

    def instance(self, uuid: str) -> Instance | None:
        """The instance, EC2 ids allotted and password read; None if nobody has that id.

        Raises:
            SourceUnavailable: the API database or the instance's cell could not be asked.
        """
        cell = self._cells.of(uuid) if is_uuid(uuid) else None
        return None if cell is None else cell.instance(uuid)

    def set_password(self, uuid: str, password: str) -> None:
        """Store what the guest posted where the compute API reads it (os-server-password).

        Raises:
            PasswordSet: one is stored already; it is left as it is.
            InstanceGone: there is no such instance any more.
            SourceUnavailable: nothing was stored.
        """
        cell = self._cells.of(uuid) if is_uuid(uuid) else None
        if cell is None:
            raise InstanceGone(f"there is no instance {uuid}")
        cell.set_password(uuid, password)

    def watch(self, changed: Callable[[str | None], None]) -> Callable[[], None]:  # noqa: ARG002  the caller's signature
        """Nova's databases have nothing to watch: `changed` is never called."""
        return lambda: None
