"""One server with its breaker: what fails is nothing found."""

import logging
from collections.abc import Callable, Sequence
from typing import TypeVar

from firstlight.shared_cache.breaker import ServerBreaker
from firstlight.shared_cache.server import CacheServer, NotKept, ServerAway

LOG = logging.getLogger(__name__)

T = TypeVar("T")

_PROBE = "firstlight:probe"


class GuardedServer:
    """Never raises :class:`~firstlight.shared_cache.server.ServerAway`."""

    def __init__(
        self, server: CacheServer, *, longest_pause: float, clock: Callable[[], float]
    ) -> None:
        self._server = server
        self._clock = clock
        self._breaker = ServerBreaker(longest=longest_pause, clock=clock)
        self._shunned = clock()  # until then

    @property
    def name(self) -> str:
        """The server's."""
        return self._server.name

    def trouble(self) -> str | None:
        """Why the server did not answer when it was last asked. Asks nobody."""
        return self._breaker.trouble

    def probe(self) -> None:
        """Ask now, whatever was before."""
        self._ask(lambda: self._server.get([_PROBE]))

    def get(self, keys: Sequence[str]) -> list[bytes | None] | None:
        """The values; None: it is not asked at the moment, or did not answer."""
        if self._clock() < self._shunned:
            return None
        return self._try(lambda: self._server.get(keys))

    def set(self, key: str, value: bytes, seconds: int) -> bool:
        """Whether it was kept."""

        def keep() -> bool:
            self._server.set(key, value, seconds)
            return True

        return self._try(keep) is True

    def mark(self, key: str, fresh: bytes, seconds: int) -> str | None:
        """The mark that is there, `fresh` if there was none; None: nobody knows."""
        if self._try(lambda: self._server.add(key, fresh, seconds)):
            return fresh.decode()
        found = self.get([key])
        return found[0].decode("latin-1") if found and found[0] else None

    def shun(self, seconds: float) -> None:
        """Get nothing for so long; what is set is set."""
        self._shunned = max(self._shunned, self._clock() + seconds)

    def close(self) -> None:
        """Close the connections."""
        self._server.close()

    def _try(self, ask: Callable[[], T]) -> T | None:
        return self._ask(ask) if self._breaker.allows() else None

    def _ask(self, ask: Callable[[], T]) -> T | None:
        try:
            answer: T | None = ask()
        except NotKept as error:
            LOG.debug("shared cache: %s", error)
            answer = None
        except ServerAway as error:
            LOG.debug("shared cache: %s", error)  # said aloud by who watches over dependencies
            self._breaker.failed(str(error))
            return None
        self._breaker.worked()
        return answer
