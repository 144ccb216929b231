"""A provider that knows a secret."""

import time
from collections.abc import Callable, Mapping
from typing import Any

from oslo_config import cfg

from firstlight.vendordata.contract import Clients, Context, Provider
from firstlight.vendordata.dispatch.call_provider import call_provider
from firstlight.vendordata.dispatch.outcome import Outcome
from firstlight.vendordata.policy.provider_policy import ProviderPolicy
from firstlight.vendordata.testing import a_context

SECRET = "hunter2"


class Safe(Provider):
    """Knows a secret."""

    max_age = 60
    confidential = True

    def __init__(self, script: Callable[[Context], Any] | None = None) -> None:
        self._script = script or (lambda context: {"password": SECRET})

    @classmethod
    def from_conf(cls, conf: cfg.ConfigOpts.GroupAttr, clients: Clients) -> "Safe":
        raise NotImplementedError

    def provide(self, context: Context) -> Mapping[str, Any] | None:
        answer: Mapping[str, Any] | None = self._script(context)
        return answer


def ask(terms: ProviderPolicy, provider: Provider | None = None, **known: Any) -> Outcome:
    """One question on these terms."""
    context = a_context(**known)
    return call_provider("safe", provider or Safe(), context, clock=time.monotonic, terms=terms)
