"""Providers that let slip what they know in every way that a careless one can."""

import logging
import os
import warnings
from collections.abc import Mapping
from typing import Any, ClassVar, Self

import requests
from oslo_config import cfg
from requests.adapters import HTTPAdapter
from urllib3 import Retry

from firstlight.vendordata.contract import Clients, Context, Provider, ProviderFailed

SECRET = os.environ.get("LEAKY", "")


class Leaky(Provider):
    """Knows a secret; each subclass loses it in a way of its own."""

    confidential = True
    all: ClassVar[dict[str, type["Leaky"]]] = {}

    def __init_subclass__(cls) -> None:
        Leaky.all[f"leaky_{cls.__name__.lower()}"] = cls

    @classmethod
    def from_conf(cls, conf: cfg.ConfigOpts.GroupAttr, clients: Clients) -> Self:
        return cls()


class Url(Leaky):
    """A licence server that is away, with the key in its URL."""

    def provide(self, context: Context) -> Mapping[str, Any] | None:
        requests.get("http://127.0.0.1:9/licence", params={"key": SECRET}, timeout=1)
        return None


class Retries(Leaky):
    """The same, asked again: urllib3 warns of each attempt."""

    def provide(self, context: Context) -> Mapping[str, Any] | None:
        session = requests.Session()
        session.mount("http://", HTTPAdapter(max_retries=Retry(2, backoff_factor=0)))
        session.get("http://127.0.0.1:9/licence", params={"key": SECRET}, timeout=1)
        return None


def fail() -> None:
    raise RuntimeError(SECRET)


class Chain(Leaky):
    """An exception that was raised because of another, in which the secret is."""

    def provide(self, context: Context) -> Mapping[str, Any] | None:
        try:
            fail()
        except RuntimeError as error:
            raise LookupError(f"no licence for {SECRET}") from error
        return None


class Hidden(Leaky):
    """Fails as it should; the cause has the secret."""

    def provide(self, context: Context) -> Mapping[str, Any] | None:
        try:
            fail()
        except RuntimeError as error:
            raise ProviderFailed("Asking the licence server failed.") from error
        return None


class Odd(Leaky):
    """Answers what JSON cannot hold."""

    def provide(self, context: Context) -> Mapping[str, Any] | None:
        return {"licence": SECRET, "key": Unwritable()}


class Unwritable:
    """A value whose words are the secret."""

    def __repr__(self) -> str:
        return SECRET


class Pairs(Leaky):
    """No mapping at all."""

    def provide(self, context: Context) -> Mapping[str, Any] | None:
        return SECRET  # type: ignore[return-value]


class Merge(Leaky):
    """A cloud-config that cannot be merged."""

    def provide(self, context: Context) -> Mapping[str, Any] | None:
        return {"cloud-config": {"merge_how": SECRET, "password": SECRET}}


class Library(Leaky):
    """A library of its own that logs and warns."""

    def provide(self, context: Context) -> Mapping[str, Any] | None:
        for level in (logging.DEBUG, logging.INFO, logging.ERROR):
            logging.getLogger("licences.client").log(level, "asking with %s", SECRET)
        warnings.warn(f"the key {SECRET} is of an old form", stacklevel=1)
        return {}


class Told(Leaky):
    """Answers, so that a caller who may gets the secret."""

    max_age = 60

    def provide(self, context: Context) -> Mapping[str, Any] | None:
        return {"licence": SECRET, "cloud-config": {"licence": {"key": SECRET}}}


class Vault(Leaky):
    """Answers what Vault has, if that can be asked."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    @classmethod
    def from_conf(cls, conf: cfg.ConfigOpts.GroupAttr, clients: Clients) -> Self:
        return cls(clients)

    def provide(self, context: Context) -> Mapping[str, Any] | None:
        return dict(self._clients.vault().everything())
