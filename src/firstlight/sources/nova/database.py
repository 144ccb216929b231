"""One of Nova's databases: connections, and errors that say which database and what was tried."""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from sqlalchemy import URL, Connection
from sqlalchemy.exc import InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from firstlight.health import Dependency
from firstlight.sources import servers
from firstlight.sources.contract import SourceUnavailable
from firstlight.sources.lock import locked
from firstlight.sources.nova import engine
from firstlight.sources.nova.outage import Outage
from firstlight.sources.servers import first_line

LOG = logging.getLogger(__name__)

# What a database that is away raises; any other error is an answer.
_AWAY = (OperationalError, InterfaceError, PoolTimeout, OSError)

CheckSchema = Callable[[Connection, str], None]  # logs what to know of it, or raises


class NovaDatabase:
    """Nothing is connected to before the first use, which also looks at the schema.

    Connections must not cross a fork: make one in each process.

    Args:
        name: what people call it: ``cell cell1``.
        check: told a connection and the name, before anything is read.
        clock: monotonic seconds.

    Raises:
        BadConnection: the driver the URL needs is not installed.
    """

    def __init__(
        self,
        name: str,
        url: URL,
        *,
        check: CheckSchema,
        pool_size: int,
        timeout: float,
        clock: Callable[[], float],
    ) -> None:
        self.title = name
        self.name = f"{name} ({url.render_as_string(hide_password=True)})"
        self.url = url
        self._check = check
        self._timeout = timeout
        self._engine = engine.make(url, pool_size=pool_size, timeout=timeout)
        driver = self._engine.dialect.loaded_dbapi
        self._away = (*_AWAY, driver.OperationalError, driver.InterfaceError)
        self._errors = (SQLAlchemyError, servers.driver_error(self._engine))
        self._is_sqlite = url.get_backend_name() == "sqlite"
        # SQLite's connections never begin a transaction unasked, and always can.
        self._writer = self._engine if self._is_sqlite else servers.transactional(self._engine)
        self._outage = Outage(timeout, clock)
        self._checked = False
        self._checking = threading.Lock()

    @property
    def trouble(self) -> str | None:
        """Why it did not answer when last asked; None: it did, or was not. Asks nobody."""
        return self._outage.reason

    @property
    def dependency(self) -> Dependency:
        """For whoever watches it."""
        return Dependency(self.title, lambda: self.trouble, self._probe)

    def _probe(self) -> None:
        with suppress(SourceUnavailable):
            self.prepare()

    def prepare(self) -> None:
        """Look at the schema now instead of at the first use.

        Raises:
            TooOld: it is one that this version does not read.
            SourceUnavailable: it could not be asked.
        """
        with self.reading("look at its schema"):
            pass

    @contextmanager
    def reading(self, doing: str) -> Iterator[Connection]:
        """A connection for statements that each stand alone.

        Raises:
            SourceUnavailable: the message names the database and says it could not do `doing`.
        """
        with self._told(doing), self._engine.connect() as connection:
            self._look_at_schema(connection)
            yield connection

    @contextmanager
    def writing(self, doing: str, *, lock: str | None = None) -> Iterator[Connection]:
        """A transaction: committed when the block ends well, undone otherwise.

        `lock` names what other processes of ours must not do at the same time; on SQLite nobody
        writes at the same time anyway.

        Raises:
            SourceUnavailable: as :meth:`reading`; nothing was stored, unless the connection was
                lost during the commit itself, when nobody can know.
        """
        if not self._checked:
            self.prepare()
        with self._told(doing, writing=True), self._writer.connect() as connection:
            if lock is None:
                with self._transaction(connection):
                    yield connection
            else:
                with locked(connection, lock, self._timeout), self._transaction(connection):
                    yield connection

    @contextmanager
    def _transaction(self, connection: Connection) -> Iterator[None]:
        with connection.begin():
            if self._is_sqlite:
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            yield

    def close(self) -> None:
        """Close every connection that is not in use."""
        self._engine.dispose()

    def _look_at_schema(self, connection: Connection) -> None:
        if self._checked:
            return
        with self._checking:
            if not self._checked:
                self._check(connection, self.name)
                self._checked = True

    @contextmanager
    def _told(self, doing: str, *, writing: bool = False) -> Iterator[None]:
        """Foreign errors stop here; what was tried is said, and remembered.

        A write may fail because another one holds a lock, which says nothing of the database.
        """
        self._outage.admit()
        try:
            yield
        except self._away as error:
            reason = self._reason(doing, error)
            if not writing:
                self._outage.failed(reason)
            raise SourceUnavailable(reason) from error
        except self._errors as error:
            self._outage.answered()
            raise SourceUnavailable(self._reason(doing, error)) from error
        except BaseException:
            self._outage.answered()  # what went wrong is not the database's
            raise
        self._outage.answered()

    def _reason(self, doing: str, error: Exception) -> str:
        return f"Nova's {self.name} could not {doing}: {first_line(error)}"
