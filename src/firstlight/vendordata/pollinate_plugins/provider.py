"""A plug-in for nova-pollinate as a provider of ours."""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, ClassVar, Self

import msgspec
from keystoneauth1.session import Session
from oslo_config import cfg

from firstlight.conf import ConfigError
from firstlight.vendordata.contract import Clients, Context, Provider, ProviderFailed
from firstlight.vendordata.http.request_body import INSTANCE, PROJECT
from firstlight.vendordata.pollinate_plugins.calling import OddPlugin, PluginCall, name_of

_SAMPLE: dict[str, Any] = {
    PROJECT: "",
    INSTANCE: "",
    "image-id": "",
    "user-data": None,
    "hostname": "",
    "metadata": {},
    "boot-roles": "",
}


class Plugin(Provider):
    """The base; :func:`provider_class` makes one for each class.

    Nobody knows what such a class answers, so its answers are kept by nobody.
    """

    call: ClassVar[PluginCall]
    kind: ClassVar[type]
    confidential = True

    def __init__(self, clients: Clients) -> None:
        self._clients = clients
        self._host = _host(clients, self.kind)

    @classmethod
    def from_conf(cls, _conf: cfg.ConfigOpts.GroupAttr, clients: Clients) -> Self:
        """See :class:`Provider`; Pollinate's plug-ins have no section of their own."""
        return cls(clients)

    def provide(self, context: Context) -> Mapping[str, Any] | None:
        """See :class:`Provider`."""
        question = question_of(context)
        with self._host.around(context.shared):
            said = self.call(question, lambda: keystone_client(self._clients.session))
            answer = self._host.as_json(said) if said else None
        if answer is not None and not isinstance(answer, Mapping):
            raise ProviderFailed(f"It answered a {type(said).__name__}, not a mapping.")
        return answer


def provider_class(kind: Any) -> tuple[str, type[Plugin]]:
    """The name under which Pollinate answered what `kind` says, and a provider that asks it.

    Raises:
        OddPlugin: it is no plug-in.
    """
    if not isinstance(kind, type):
        raise OddPlugin("it is no class")
    call = PluginCall(kind)
    name = name_of(kind, call, _SAMPLE)
    return name, type(kind.__name__, (Plugin,), {"call": call, "kind": kind})


def question_of(context: Context) -> dict[str, Any]:
    """The object that was sent, as nova-pollinate hands it on: null is None, no key is left out.

    Where nobody sent one (`firstlight provider run`), it has the seven keys of Nova's.
    """
    if context.body:
        return msgspec.json.decode(context.body, type=dict[str, Any])
    return {
        PROJECT: context.project_id,
        INSTANCE: context.instance_id,
        "image-id": context.image_id,
        "user-data": context.user_data,
        "hostname": context.hostname,
        "metadata": dict(context.metadata),
        "boot-roles": ",".join(context.boot_roles),
    }


def keystone_client(session: Callable[[], Session]) -> Any:
    """What the older contract's constructor takes beside the context; made when it is used."""
    from werkzeug.local import LocalProxy

    def make() -> Any:
        from keystoneclient.v3.client import Client

        return Client(session=session())

    return LocalProxy(cache(make))


def _host(clients: Clients, kind: type) -> Any:
    try:
        from firstlight.vendordata.pollinate_plugins.host import PluginApp
    except ImportError as error:
        raise ConfigError(
            f"a plug-in for nova-pollinate needs flask, which is not installed ({error}); "
            "pip install firstlight[pollinate]"
        ) from error
    return PluginApp(clients.session, clients.vault, [kind])
