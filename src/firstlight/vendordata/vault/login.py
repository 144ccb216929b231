"""Two ways into Vault. Each sets the client's token and says how long that is good."""

from pathlib import Path
from typing import Protocol

from hvac import Client
from hvac.api.auth_methods import Kubernetes
from msgspec import Struct


class CannotEnter(Exception):
    """What is needed to log in is not there; a sentence."""


class Lease(Struct, frozen=True):
    """`seconds` for which a token is good, from now; 0: for ever."""

    seconds: float
    renewable: bool = False


class VaultLogin(Protocol):
    """One way in."""

    def enter(self, client: Client) -> Lease:
        """Give `client` a token.

        Raises:
            CannotEnter: there is nothing to log in with.
            VaultError, RequestException: hvac's own.
        """


class WithToken:
    """A token from the configuration."""

    def __init__(self, token: str) -> None:
        self._token = token

    def enter(self, client: Client) -> Lease:
        """See :class:`VaultLogin`."""
        client.token = self._token
        known = client.auth.token.lookup_self()["data"]
        return Lease(known["ttl"], bool(known.get("renewable")))


class WithKubernetes:
    """The pod's own token, in the file `jwt`, for the role `role`."""

    def __init__(self, role: str, *, jwt: Path, mount: str) -> None:
        self._role = role
        self._jwt = jwt
        self._mount = mount

    def enter(self, client: Client) -> Lease:
        """See :class:`VaultLogin`."""
        try:
            jwt = self._jwt.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise CannotEnter(f"The pod's token cannot be read: {error}.") from error
        method = Kubernetes(client.adapter)
        answer = method.login(role=self._role, jwt=jwt, mount_point=self._mount)
        auth = answer["auth"]
        client.token = auth["client_token"]
        return Lease(auth["lease_duration"], bool(auth.get("renewable")))
