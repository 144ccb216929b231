"""The base of plug-ins. What calls them is :mod:`firstlight.vendordata.pollinate_plugins`."""

from collections.abc import Callable, Mapping
from typing import Any

from flask import current_app, g

from pollinate import clients

PROVIDERS_GROUP = "pollinate.providers"


class PollinateProviderException(Exception):
    """A plug-in could not do what it is for."""


class PollinateProvider:
    """Derive from this, set `name`, and write ``run``.

    A plug-in of the present is made from nothing and told the context by ``run(context)``; one of
    the past is made from the context, and perhaps a Keystone client, and told nothing by ``run()``.
    """

    def __init__(
        self, context: Mapping[str, Any] | None = None, keystone_client: Any = None
    ) -> None:
        self.context = context
        self.keystone_client = keystone_client

    def run(self, *_context: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """What the instance should be told; None or empty: nothing."""
        raise PollinateProviderException(f"{type(self).__name__} has no method run")

    def get_instance(self, context: Mapping[str, Any]) -> Any:
        """The server, as novaclient shows it; it is asked for once a request, whoever asks."""

        def look_up() -> Any:
            nova = clients.get_nova_client(current_app.ks_session)
            return nova.servers.get(context["instance-id"])

        return _once("pollinate.instance", look_up)


def _once(key: str, look_up: Callable[[], Any]) -> Any:
    """Under Firstlight plug-ins run side by side, so one of them looks up and the others wait."""
    shared = g.get("firstlight_shared")
    if shared is not None:
        return shared.once(key, look_up)
    if key not in g:
        setattr(g, key, look_up())
    return g.get(key)
