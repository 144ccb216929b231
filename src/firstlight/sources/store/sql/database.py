"""One database: connections for reading and for writing, and errors that say what was tried."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from firstlight.sources import servers
from firstlight.sources.contract import SourceUnavailable
from firstlight.sources.servers import first_line
from firstlight.sources.store.errors import Unreadable
from firstlight.sources.store.sql import engine, schema, sqlite_file

# The watcher gives up sooner than a look-up, so that a hung database is known to be unhealthy.
_WATCHER_TIMEOUT = 2.0


class StoreDatabase:
    """Where a store is kept. Nothing is connected to before the first use, which also migrates.

    Connections must not cross a fork: make one in each process.
    """

    def __init__(self, url: str, *, pool_size: int, timeout: float) -> None:
        self._url = engine.parse(url)
        self._timeout = timeout
        self._engine = engine.make(self._url, pool_size=pool_size, timeout=timeout)
        self._lone = engine.make(self._url, pool_size=0, timeout=min(timeout, _WATCHER_TIMEOUT))
        # Setting AUTOCOMMIT on a connection asks the server, and its errors come unwrapped.
        self._foreign = (SQLAlchemyError, servers.driver_error(self._engine), OSError, Unreadable)
        self.is_sqlite = self._url.get_backend_name() == "sqlite"
        # Single statements need no transaction; SQLite's connections never begin one unasked.
        self._reader = (
            self._engine
            if self.is_sqlite
            else self._engine.execution_options(isolation_level="AUTOCOMMIT")
        )
        self._prepared = False
        self._preparing = threading.Lock()
        self.trouble: str | None = None  # why the last use failed; None: it did not

    @property
    def name(self) -> str:
        """The URL as it may be shown: without its password."""
        return self._url.render_as_string(hide_password=True)

    def prepare(self) -> None:
        """Make or migrate the tables, once; every use does this first.

        Raises:
            SourceUnavailable: the database cannot be asked or is not one of ours.
        """
        if self._prepared:
            return
        with self._preparing, self._told("prepare its tables"):
            if not self._prepared:
                self._prepare()
                self._prepared = True

    def _prepare(self) -> None:
        if self.is_sqlite:
            sqlite_file.create(sqlite_file.path_of(self._url))
        with self._engine.connect() as connection:
            current = schema.is_current(connection)
        if not current:
            with self._engine.connect() as connection:
                schema.migrate(connection, self._timeout)

    @contextmanager
    def reading(self, doing: str) -> Iterator[Connection]:
        """A connection for statements that each stand alone.

        Raises:
            SourceUnavailable: the message names the database and says it could not do `doing`.
        """
        self.prepare()
        with self._told(doing), self._reader.connect() as connection:
            yield connection

    @contextmanager
    def writing(self, doing: str) -> Iterator[Connection]:
        """A transaction: committed when the block ends well, undone otherwise.

        Raises:
            SourceUnavailable: as :meth:`reading`; nothing was stored, unless the connection was
                lost during the commit itself, when nobody can know.
        """
        self.prepare()
        with self._told(doing), self._engine.begin() as connection:
            if self.is_sqlite:
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            yield connection

    @contextmanager
    def watching(self, kept: Connection | None) -> Iterator[Connection]:
        """The watcher's connection: `kept`, or a new one if there is none or it leads nowhere."""
        self.prepare()
        with self._told("look for changes"):
            if kept is not None and not self._leads_here(kept):
                kept.close()
                kept = None
            yield kept or self._lone.connect().execution_options(isolation_level="AUTOCOMMIT")

    def _leads_here(self, connection: Connection) -> bool:
        """Whether the file this connection has open is still the store's."""
        if not self.is_sqlite:
            return True
        found = sqlite_file.identity(sqlite_file.path_of(self._url))
        return bool(connection.info["file"] == found)

    def close(self) -> None:
        """Close every connection that is not in use."""
        self._engine.dispose()
        self._lone.dispose()

    @contextmanager
    def _told(self, doing: str) -> Iterator[None]:
        """Foreign errors stop here; what was tried is said, and remembered for readiness."""
        try:
            yield
        except self._foreign as error:
            self.trouble = f"the store at {self.name} could not {doing}: {first_line(error)}"
            raise SourceUnavailable(self.trouble) from error
        self.trouble = None
