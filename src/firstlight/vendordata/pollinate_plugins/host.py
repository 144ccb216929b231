"""The flask application that Pollinate's plug-ins find as ``current_app``, and their ``g``."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from flask import Flask
from keystoneauth1.session import Session

from firstlight.vendordata.contract import Secrets
from firstlight.vendordata.dispatch.request_cache import RequestCache


class PluginSecrets:
    """``current_app.secrets``: what Pollinate's were, over ours.

    Both methods raise ProviderFailed if Vault could not be asked.
    """

    def __init__(self, secrets: Callable[[], Secrets]) -> None:
        self._secrets = secrets

    def get(self, name: str) -> Any:
        """The secret of that name.

        Raises:
            KeyError: there is none.
        """
        value = self._secrets().get(name)
        if value is None:
            raise KeyError(name)
        return value

    def get_secrets(self) -> dict[str, Any]:
        """All of them, in a dictionary of the plug-in's own."""
        return dict(self._secrets().everything())


class PluginApp(Flask):
    """What a plug-in finds around it; credentials are read when it first asks for them."""

    def __init__(
        self,
        session: Callable[[], Session],
        secrets: Callable[[], Secrets],
        providers: Sequence[type],
    ) -> None:
        super().__init__("pollinate", static_folder=None)
        self.secrets = PluginSecrets(secrets)
        self.providers = providers
        self._session = session

    @property
    def ks_session(self) -> Session:
        """An authenticated keystoneauth session, as :meth:`contract.Clients.session`."""
        return self._session()

    @contextmanager
    def around(self, shared: RequestCache) -> Iterator[None]:
        """Make this ``current_app``; ``g`` is the same for all plug-ins of a request."""
        context = self.app_context()
        context.g = shared.once("pollinate.g", self.app_ctx_globals_class)
        context.g.firstlight_shared = shared  # our package pollinate looks the server up with it
        with context:
            yield

    def as_json(self, answer: Any) -> Any:
        """`answer` as flask would have written it, read again."""
        return self.json.loads(self.json.dumps(answer))
