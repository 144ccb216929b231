"""Nova's notifications from the message broker, with oslo.messaging."""

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import oslo_messaging

from firstlight.notifications.broker_log import watched
from firstlight.notifications.events import form, instance_of
from firstlight.notifications.news import Changed, News, hearing

LOG = logging.getLogger(__name__)

_RETRY = 5.0  # seconds between attempts where oslo.messaging itself has given up
_STOP = 3.0  # seconds to finish what has arrived

Tell = Callable[[News], None]


@contextmanager
def listening(
    transport: Any, *, broker: str, topics: Sequence[str], pool: str, tell: Tell
) -> Iterator[None]:
    """Listen while the block runs, however often the broker goes and comes back.

    Nobody waits for a connection: it is made on a thread, and `tell` is told how it goes. A queue
    named `pool` gets a copy of what others get from theirs; it stays when the block ends, so that
    the next process finds what came meanwhile.

    Args:
        transport: a notification transport of oslo.messaging.
        broker: its addresses, for people.
        topics: on which Nova notifies.
    """
    ear = _Ear(broker, tell)
    targets = [oslo_messaging.Target(topic=topic) for topic in topics]
    connection = _Connection(
        lambda: oslo_messaging.get_notification_listener(transport, targets, [ear], pool=pool), ear
    )
    with watched(ear.hears):
        connection.start()
        try:
            yield
        finally:
            connection.stop()


class _Ear:
    """What oslo.messaging calls with a notification, by its priority.

    Nova uses ``info`` and, for an action that failed, ``error``. Whatever arrives is acknowledged:
    what cannot be read now cannot be read later.
    """

    def __init__(self, broker: str, tell: Tell) -> None:
        self._broker = broker
        self._tell = tell
        self._deaf: bool | None = None

    def info(
        self, _context: Any, _publisher: Any, event_type: Any, payload: Any, _metadata: Any
    ) -> None:
        """Tell of the instance, if it is about one."""
        self.hears(None)
        uuid = instance_of(event_type, payload)
        if uuid is not None:
            self._tell(Changed(uuid, str(form(event_type))))

    error = info

    def hears(self, trouble: str | None) -> None:
        """Tell why nothing is heard, or None: once, until it changes."""
        deaf = trouble is not None
        if deaf is not self._deaf:
            self._deaf = deaf
            if not deaf:
                LOG.info("Nova's notifications are heard from the broker at %s", self._broker)
            self._tell(hearing(f"the broker at {self._broker}: {trouble}" if deaf else None))


class _Ended(Exception):
    """Nobody waits for the broker any more."""


class _Connection:
    """oslo.messaging's server, started on a thread because it waits for the broker there."""

    def __init__(self, make_server: Callable[[], Any], ear: _Ear) -> None:
        self._make_server = make_server
        self._ear = ear
        self._end = threading.Event()
        self._guard = threading.Lock()
        self._server: Any = None
        self._thread = threading.Thread(target=self._run, name="notifications-broker", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Stop, within seconds even where the broker is away."""
        with self._guard:
            self._end.set()
            server, self._server = self._server, None
        if server is not None:
            _stop(server)

    def _run(self) -> None:
        while not self._end.is_set():
            try:
                self._open()
            except _Ended:
                return
            except Exception as error:  # the thread's one catch-all: drivers raise what they like
                LOG.debug("no listener", exc_info=True)
                self._ear.hears(f"it does not let us listen: {error}")
                self._end.wait(_RETRY)
            else:
                return

    def _open(self) -> None:
        server = self._make_server()
        with watched(self._between_attempts):
            server.start(override_pool_size=1)  # one after the other
        with self._guard:
            ended = self._end.is_set()
            if not ended:
                self._server = server
        if ended:
            _stop(server)
        else:
            self._ear.hears(None)

    def _between_attempts(self, _trouble: str | None) -> None:
        """The driver's line about trying again is where its endless waiting can be ended."""
        if self._end.is_set() and threading.current_thread() is self._thread:
            raise _Ended


def _stop(server: Any) -> None:
    """Stop it on a thread: while the broker is away, that waits until it comes back."""

    def stop() -> None:
        server.stop()
        server.wait()

    thread = threading.Thread(target=stop, name="notifications-stop", daemon=True)
    thread.start()
    thread.join(_STOP)
