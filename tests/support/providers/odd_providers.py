"""Providers that misbehave, installed for these tests only."""

import threading
import time
from collections.abc import Mapping
from typing import Any, Self

from oslo_config import cfg

from firstlight.vendordata.contract import Clients, Context, Provider, ProviderFailed


class Odd(Provider):
    """Made from nothing."""

    @classmethod
    def from_conf(cls, conf: cfg.ConfigOpts.GroupAttr, clients: Clients) -> Self:
        return cls()


class Echo(Odd):
    """Answers what it was asked."""

    max_age = 30
    confidential = True

    def provide(self, context: Context) -> Mapping[str, Any] | None:
        return {
            "hostname": context.hostname,
            "boot_roles": context.boot_roles,
            "cloud-config": {"packages": ["jq"]},
        }


class Failing(Odd):
    """Cannot find out."""

    def provide(self, context: Context) -> Mapping[str, Any] | None:
        raise ProviderFailed("Asking the oracle failed.")


class Slow(Odd):
    """Answers when nobody waits any more."""

    def provide(self, context: Context) -> Mapping[str, Any] | None:
        time.sleep(2)
        return {"late": True}


class Hung(Odd):
    """Never answers."""

    def provide(self, context: Context) -> Mapping[str, Any] | None:
        threading.Event().wait()
        return None


class Silent(Odd):
    """Has nothing to say."""

    max_age = 600

    def provide(self, context: Context) -> Mapping[str, Any] | None:
        return None


NOT_A_PROVIDER = 3
