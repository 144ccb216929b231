"""Noticing what anyone changes in the store: one thread, for any number of listeners."""

import logging
import threading
from collections.abc import Callable, Sequence

from sqlalchemy import Connection

from firstlight.sources.contract import SourceUnavailable
from firstlight.sources.store import changes
from firstlight.sources.store.sql.database import StoreDatabase

LOG = logging.getLogger(__name__)

Changed = Callable[[str | None], None]

# Listeners are promised 100 ms. SQLite's question costs microseconds, a server's a round trip.
_SQLITE_INTERVAL = 0.05
_SERVER_INTERVAL = 0.09
_SLOWEST = 1.0  # between attempts while the database is away


class Watcher:
    """Tells listeners of changes. Its thread runs while there are any."""

    def __init__(self, database: StoreDatabase) -> None:
        self._database = database
        self._listeners: dict[object, Changed] = {}
        self._guard = threading.Lock()
        self._end = threading.Event()
        self._thread: threading.Thread | None = None

    def add(self, changed: Changed) -> Callable[[], None]:
        """Tell `changed` of everything from now on; returns what stops it."""
        token = object()
        with self._guard:
            if self._thread is None:
                self._start()
            self._listeners[token] = changed
        return lambda: self._remove(token)

    def close(self) -> None:
        """Forget every listener and end the thread."""
        with self._guard:
            self._listeners.clear()
        self._stop_if_idle()

    def _remove(self, token: object) -> None:
        with self._guard:
            self._listeners.pop(token, None)
        self._stop_if_idle()

    def _start(self) -> None:
        feed = _Feed(self._database)
        away = not _begun(feed)
        self._end = threading.Event()
        self._thread = threading.Thread(
            target=self._run,
            args=(feed, self._end, away),
            name="firstlight-store-watch",
            daemon=True,
        )
        self._thread.start()

    def _stop_if_idle(self) -> None:
        with self._guard:
            if self._listeners or self._thread is None:
                return
            thread, self._thread = self._thread, None
            self._end.set()
        if thread is not threading.current_thread():
            thread.join()

    def _run(self, feed: "_Feed", end: threading.Event, away: bool) -> None:
        interval = _SQLITE_INTERVAL if self._database.is_sqlite else _SERVER_INTERVAL
        pause = interval
        while not end.wait(pause):
            failed = not self._look(feed, away)
            pause = min(2 * pause, _SLOWEST) if failed else interval
            away = failed
        feed.close()

    def _look(self, feed: "_Feed", away: bool) -> bool:
        """Tell what is new; False if that failed. An outage is logged when it begins and ends."""
        try:
            news = feed.news()
            if away:
                LOG.info("Changes are seen again at %s", self._database.name)
            self._tell(news)
        except SourceUnavailable as error:
            LOG.log(logging.DEBUG if away else logging.WARNING, "Changes are not seen: %s", error)
            return False
        except Exception:  # the thread's one catch-all: a listener's fault must not end the news
            LOG.exception("A listener to the store's changes failed; all are told to start afresh")
            feed.forget()
            return False
        return True

    def _tell(self, news: Sequence[str | None]) -> None:
        if news:
            with self._guard:
                listeners = list(self._listeners.values())
            for changed in listeners:
                for uuid in news:
                    changed(uuid)


def _begun(feed: "_Feed") -> bool:
    try:
        feed.begin()
    except SourceUnavailable as error:
        LOG.warning("Changes are not seen: %s", error)
        return False
    return True


class _Feed:
    """The changes since the last look, read over a connection that is kept."""

    def __init__(self, database: StoreDatabase) -> None:
        self._database = database
        self._connection: Connection | None = None
        self._version: int | None = None  # SQLite's data_version, as this connection counts it
        self._seen: int | None = None  # None: what was missed cannot be known

    def begin(self) -> None:
        """Count from now.

        Raises:
            SourceUnavailable: the first news will be that anything may have changed.
        """
        self.forget()
        self.news()

    def forget(self) -> None:
        """Make the next news "anything"."""
        self._seen = self._version = None

    def news(self) -> Sequence[str | None]:
        """UUIDs of what changed since the last call; a lone None if that cannot be known.

        Raises:
            SourceUnavailable: nothing is missed by it, the next call tells.
        """
        try:
            with self._database.watching(self._connection) as connection:
                if connection is not self._connection:
                    self._connection, self._version = connection, None
                return self._read(connection)
        except SourceUnavailable:
            self.close()
            raise

    def _read(self, connection: Connection) -> Sequence[str | None]:
        if self._database.is_sqlite:
            version = connection.exec_driver_sql("PRAGMA data_version").scalar_one()
            if version == self._version:
                return ()
            self._version = version
        if self._seen is None:
            self._seen = changes.newest(connection)
            return (None,)
        self._seen, uuids = changes.since(connection, self._seen)
        return (None,) if uuids is None else uuids

    def close(self) -> None:
        """Let go of the connection; the place in the log is kept."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()
