"""This process's end: what it has heard, and whether it hears."""

import threading
from collections import Counter
from collections.abc import Callable
from typing import Protocol

from firstlight.notifications.news import Changed, Hearing, News


class _Part(Protocol):
    """What :class:`Feed` needs of :class:`~firstlight.notifications.one_per_host.OnePerHost`."""

    def start(self) -> None: ...
    def close(self) -> None: ...


class Feed:
    """Tells `changed` of every instance that Nova changes, and None where some may be missed.

    Args:
        changed: called on threads of its own; what it raises ends nothing.
        take_part: makes this process's part of the one listener of the host, given where its news
            go and what to call when some may have been missed.

    Attributes:
        hears: whether they are heard now.
        heard: changes so far, by the form of the notification.
        missed: times that some may have been.
    """

    def __init__(
        self,
        changed: Callable[[str | None], None],
        take_part: Callable[[Callable[[News], None], Callable[[], None]], _Part],
    ) -> None:
        self._changed = changed
        self._guard = threading.Lock()
        self._trouble: str | None = None
        self.hears = False
        self.heard: Counter[str] = Counter()
        self.missed = 0
        self._part = take_part(self.tell, self.miss)

    def start(self) -> None:
        """Begin to listen."""
        self._part.start()

    def close(self) -> None:
        """Stop listening."""
        self._part.close()

    def trouble(self) -> str | None:
        """Why Nova's notifications are not heard; None: they are, or soon will be. Asks nobody."""
        return self._trouble

    def tell(self, news: News) -> None:
        """Take in what the listening process of this host says."""
        match news:
            case Hearing(hears, trouble):
                back = hears and self._trouble is not None
                self.hears, self._trouble = hears, trouble
                if back:  # its queues are not kept where RabbitMQ itself has been restarted
                    self.miss()
            case Changed(uuid, form):
                with self._guard:
                    self.heard[form] += 1
                self._changed(uuid)

    def miss(self) -> None:
        """Anything may have changed: what was said meanwhile is lost."""
        with self._guard:
            self.missed += 1
        self._changed(None)
