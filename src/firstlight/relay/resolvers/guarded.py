"""A resolver whose every failure counts, whatever it is."""

import logging
from collections.abc import Sequence

from firstlight.relay.contract import Guest, Resolution, Resolver, Unavailable

LOG = logging.getLogger(__name__)


class Guarded:
    """A :class:`~firstlight.relay.contract.Resolver` that answers Unavailable where `resolver`
    raises, and is in trouble until it answers again. A traceback is logged once for each kind."""

    def __init__(self, resolver: Resolver) -> None:
        self.name = resolver.name
        self._resolver = resolver
        self._failure: str | None = None

    def resolve(self, guests: Sequence[Guest], *, fresh: bool = False) -> Sequence[Resolution]:
        """One resolution for each guest, in their order."""
        try:
            resolutions = self._resolver.resolve(guests, fresh=fresh)
        except Exception as error:  # a library's: every guest is told that it cannot be asked
            # Without the message, which may quote a URL with its password.
            failure = f"{self.name} failed with {type(error).__name__}; see the log"
            if failure != self._failure:
                LOG.exception("the resolver %s failed", self.name)
            self._failure = failure
            return [Unavailable(failure)] * len(guests)
        self._failure = None
        return resolutions

    def trouble(self) -> str | None:
        """Why it could not be asked lately; None: it could."""
        return self._failure or self._resolver.trouble()

    def close(self) -> None:
        """Let go of connections and threads."""
        self._resolver.close()
