"""Pollinate's ``GET /test``: whether secrets can be read. Monitoring asks it, without a token."""

import logging
import time
from collections.abc import Callable
from threading import Lock

import falcon

from firstlight.concurrency.throttle import ThrottledLog
from firstlight.conf import ConfigError
from firstlight.vendordata.contract import ProviderFailed

LOG = logging.getLogger(__name__)

# Anybody may ask, so what was found is said again for this many seconds.
_KEPT = 1.0

_OK = (falcon.HTTP_200, {"OK": "Success"})


class SecretsTest:
    """200 with ``OK``, or 500 with ``Error``, of the last time that `read` was called.

    One stranger at a time makes us ask; whoever comes meanwhile is told what is known.
    """

    def __init__(
        self, read: Callable[[], object], *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._read = read
        self._clock = clock
        self._asking = Lock()
        self._log = ThrottledLog(LOG)  # anybody may ask, and Vault may be away for long
        self._until = float("-inf")
        self._found = _error("Vault is being asked for the first time; try again.")

    def on_get(self, _req: falcon.Request, resp: falcon.Response) -> None:
        if self._clock() >= self._until and self._asking.acquire(blocking=False):
            try:
                self._found = self._ask()
                self._until = self._clock() + _KEPT
            finally:
                self._asking.release()
        resp.status, resp.media = self._found
        resp.set_header("Cache-Control", "no-store")

    def _ask(self) -> tuple[str, dict[str, str]]:
        try:
            self._read()
        except (ConfigError, ProviderFailed) as error:
            self._log.warning("GET /test: secrets cannot be read: %s", error)
            return _error("Secrets cannot be read; the log says why.")
        return _OK


def _error(message: str) -> tuple[str, dict[str, str]]:
    return falcon.HTTP_500, {"Error": message}
