"""Reading the secret, and keeping it for a minute in memory."""

import logging
import time
from collections.abc import Callable, Mapping
from threading import Lock
from typing import Any

from hvac import Client
from hvac.exceptions import Forbidden, InvalidPath, Unauthorized, VaultError
from requests import RequestException

from firstlight.vendordata.contract import ProviderFailed
from firstlight.vendordata.vault.login import CannotEnter, VaultLogin
from firstlight.vendordata.vault.token import Token

LOG = logging.getLogger(__name__)

_KEPT = 60.0  # seconds, as Pollinate
# Seconds for which it is remembered that Vault could not be read: whoever waited meanwhile need not
# wait once more for the same.
_FAILED = 1.0


class Vault:
    """The keys of the secret at `path` in the engine at `mount`. For use by several threads."""

    def __init__(
        self,
        client: Client,
        login: VaultLogin,
        *,
        path: str,
        mount: str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._token = Token(client, login, clock=clock)
        self._path = path
        self._mount = mount
        self._clock = clock
        self._lock = Lock()
        self._until = float("-inf")
        self._keys: Mapping[str, Any] = {}
        self._failure: ProviderFailed | None = None

    def get(self, key: str) -> Any:
        """What is under `key`, mostly text; None if there is no such key.

        Raises:
            ProviderFailed: Vault could not be asked.
        """
        return self._current().get(key)

    def everything(self) -> Mapping[str, Any]:
        """All keys, as :meth:`get`."""
        return dict(self._current())

    def ready(self) -> None:
        """Read the secret, now.

        Raises:
            ProviderFailed: it could not be read.
        """
        self._read()

    def close(self) -> None:
        """Renew the token no more, and forget what was read."""
        self._token.close()
        self._keys, self._until = {}, float("-inf")

    def _current(self) -> Mapping[str, Any]:
        with self._lock:  # whoever comes while it is read gets what the first one read
            if self._clock() >= self._until:
                self._read_again()
            if self._failure is not None:
                raise ProviderFailed(str(self._failure)) from self._failure
            return self._keys

    def _read_again(self) -> None:
        try:
            self._keys, self._failure = self._read(), None
        except ProviderFailed as failure:
            self._failure = failure
        self._until = self._clock() + (_FAILED if self._failure else _KEPT)

    def _read(self) -> Mapping[str, Any]:
        try:
            self._token.ensure()
            return self._read_as_somebody()
        except InvalidPath as error:
            raise ProviderFailed(
                f"Vault has no secret at [vault] path = {self._path} in the engine "
                f"{self._mount}, or it was deleted."
            ) from error
        except (Forbidden, Unauthorized) as error:
            raise ProviderFailed(
                f"Vault does not let us read {self._mount}/{self._path}: [vault] token is not "
                "valid any more, or the policy of the token or role does not allow it."
            ) from error
        except CannotEnter as error:
            raise ProviderFailed(f"Logging in to Vault failed. {error}") from error
        except (VaultError, RequestException) as error:
            raise ProviderFailed(f"Asking Vault failed: {error}.") from error
        except (KeyError, TypeError, ValueError) as error:
            raise ProviderFailed(
                f"Vault answered in an unknown form: {type(error).__name__}."
            ) from error

    def _read_as_somebody(self) -> Mapping[str, Any]:
        """A token may have been revoked before its time: then another one is got, once."""
        try:
            return self._read_once()
        except (Forbidden, Unauthorized):
            self._token.replace()
            return self._read_once()

    def _read_once(self) -> Mapping[str, Any]:
        answer = self._client.secrets.kv.v2.read_secret_version(
            path=self._path, mount_point=self._mount, raise_on_deleted_version=True
        )
        LOG.debug("The secret %s/%s was read from Vault", self._mount, self._path)
        return dict(answer["data"]["data"])
