"""A token that stays good: renewed while it can be, got anew when its time is over."""

import logging
import math
import time
from collections.abc import Callable
from threading import Event, Lock, Thread

from hvac import Client
from hvac.exceptions import VaultError
from requests import RequestException

from firstlight.vendordata.vault.login import CannotEnter, Lease, VaultLogin

LOG = logging.getLogger(__name__)

# Renewed when so much of what is left has gone by; again so, if that fails.
_SHARE = 2 / 3


class Token:
    """The token of `client`, got through `login`.

    A thread renews it, so that it is also good when nobody has asked for longer than its time.
    `least` is the seconds between two attempts.
    """

    def __init__(
        self,
        client: Client,
        login: VaultLogin,
        *,
        clock: Callable[[], float] = time.monotonic,
        least: float = 1.0,
    ) -> None:
        self._client = client
        self._login = login
        self._clock = clock
        self._least = least
        self._lock = Lock()
        self._ends = -math.inf  # not yet there
        self._renewable = False
        self._thread: Thread | None = None
        self._closed = Event()

    def ensure(self) -> None:
        """Have a token that is good, as far as we know; raises what :meth:`Login.enter` does."""
        with self._lock:
            if self._clock() >= self._ends:
                self._enter()

    def replace(self) -> None:
        """Get another one, because Vault did not take it; raises what :meth:`Login.enter` does."""
        with self._lock:
            self._enter()

    def renew(self) -> None:
        """Make the token last longer, or get another; a failure is logged and tried again."""
        with self._lock:
            try:
                self._prolong()
            except (VaultError, RequestException, CannotEnter, KeyError, TypeError) as error:
                LOG.warning(
                    "Vault's token could not be renewed and is good for %.0f s more: %s",
                    max(0.0, self._ends - self._clock()),
                    error,
                )

    def close(self) -> None:
        """Renew no more."""
        self._closed.set()

    def _prolong(self) -> None:
        if self._renewable and self._clock() < self._ends:
            auth = self._client.auth.token.renew_self()["auth"]
            self._note(Lease(auth["lease_duration"], bool(auth.get("renewable"))))
        else:
            self._enter()

    def _enter(self) -> None:
        self._note(self._login.enter(self._client))
        if self._thread is None and self._ends < math.inf:
            self._thread = Thread(target=self._keep, name="vault-token", daemon=True)
            self._thread.start()

    def _note(self, lease: Lease) -> None:
        self._ends = self._clock() + lease.seconds if lease.seconds else math.inf
        self._renewable = lease.renewable

    def _keep(self) -> None:
        while not self._closed.wait(self._pause()):
            self.renew()

    def _pause(self) -> float | None:
        if self._ends == math.inf:
            return None
        return max(self._least, (self._ends - self._clock()) * _SHARE)
