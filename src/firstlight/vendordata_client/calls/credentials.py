"""The service token that tells a target who asks."""

import threading
from collections.abc import Mapping
from contextlib import suppress

from keystoneauth1.session import Session

from firstlight.concurrency.deadline import Deadline
from firstlight.health import Dependency
from firstlight.vendordata_client.calls.failure import CALL_ERRORS, CallFailed, Kind, reason

Headers = Mapping[str, str]


class Credentials:
    """The headers of one keystoneauth session, fetched by one thread at a time.

    keystoneauth locks as well, but without a limit: with a Keystone that does not answer, each
    caller would wait for all those before it. Here a caller waits until its own deadline. The one
    that talks to Keystone is bounded by the session's timeout instead, so that a token that comes
    late is there for the next.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._lock = threading.Lock()
        self.trouble: str | None = None  # why there was no token the last time; None: there was

    def dependency(self, seconds: float) -> Dependency:
        """Keystone, for whoever watches it; a probe waits so long."""

        def probe() -> None:
            with suppress(CallFailed):
                self.headers(Deadline(seconds))

        return Dependency("keystone", lambda: self.trouble, probe)

    def headers(self, deadline: Deadline) -> Headers:
        """The headers to send; none where no authentication is configured.

        Raises:
            CallFailed: Keystone cannot be reached, refuses, or takes too long.
        """
        if self._session.auth is None:
            return {}
        self._enter(deadline)
        try:
            return self._fetch()
        finally:
            self._lock.release()

    def renewed(self, refused: Headers, deadline: Deadline) -> Headers | None:
        """Headers to send instead of those a target `refused`; None: there are no others.

        Raises:
            CallFailed: as for :meth:`headers`.
        """
        if self._session.auth is None:
            return None
        self._enter(deadline)
        try:
            # Another call may have renewed the token since; only the refused one is thrown away.
            if self._fetch() == refused and not self._session.invalidate():
                return None
            return self._fetch()
        finally:
            self._lock.release()

    def _enter(self, deadline: Deadline) -> None:
        if not self._lock.acquire(timeout=deadline.left()):
            raise CallFailed(
                f"no service token: Keystone did not answer within {deadline}", Kind.NO_TOKEN
            )

    def _fetch(self) -> Headers:
        try:
            headers = self._session.get_auth_headers()
        except CALL_ERRORS as error:
            self.trouble = f"no service token: Keystone: {reason(error)}"
            raise CallFailed(self.trouble, Kind.NO_TOKEN) from error
        self.trouble = None
        if headers is None:
            raise CallFailed(
                "no service token: the plugin of [vendordata_dynamic_auth] auth_type gives none",
                Kind.NO_TOKEN,
            )
        return headers
