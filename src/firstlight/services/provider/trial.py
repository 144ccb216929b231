"""What ``firstlight provider run`` does, which needs the extra."""

import argparse
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from typing import Any

from msgspec import structs
from oslo_config import cfg

from firstlight import conf as configuration
from firstlight.conf import ConfigError
from firstlight.instance.answer import State
from firstlight.services.provider import live, output, subject
from firstlight.vendordata.clients import ConfiguredClients
from firstlight.vendordata.contract import ProviderFailed
from firstlight.vendordata.dispatch.call_provider import call_provider
from firstlight.vendordata.dispatch.outcome import Outcome
from firstlight.vendordata.dispatch.request_cache import RequestCache
from firstlight.vendordata.loading import load_providers
from firstlight.vendordata.policy import provider_policy
from firstlight.vendordata.policy.deploy import rules_of


def run(args: argparse.Namespace) -> int:
    """Try it; returns 1 if it failed or could not be tried."""
    try:
        conf = configuration.load_typed("vendordata", args.config)
        clients = ConfiguredClients(conf)
        with closing(clients):
            return _try(args, conf, clients)
    except (ConfigError, ProviderFailed, subject.UnknownInstance) as error:
        print(f"firstlight provider run: {error}", file=sys.stderr)
        return 1


def _try(args: argparse.Namespace, conf: cfg.ConfigOpts, clients: ConfiguredClients) -> int:
    conf.set_override("providers", [args.name])
    [(name, provider)] = load_providers(conf, clients).items()
    with closing(provider):
        provider_policy.register(conf, [name])
        context = subject.context_of(args, clients)
        shared = RequestCache(time.monotonic() + conf.firstlight.provider_deadline)
        context = structs.replace(context, shared=shared)
        rules = rules_of(conf[f"provider:{name}"])
        outcome = call_provider(name, provider, context, clock=time.monotonic, terms=rules)
    secret = provider.confidential and not args.show_secrets
    _show(outcome, shared, secret=secret)
    if not args.no_live and (args.live or not provider.confidential):
        url = args.live or live.usual_url(conf)
        _compare(outcome, url, lambda: live.ask(url, name, context, conf, clients), secret=secret)
    return 1 if outcome.state is State.FAILED else 0


def _show(outcome: Outcome, shared: RequestCache, *, secret: bool) -> None:
    kept = "is not kept" if outcome.max_age is None else f"may be kept {outcome.max_age} s"
    print(f"{outcome.provider}: {outcome.state.value} in {outcome.seconds:.3f} s; {kept}")
    for key, seconds in shared.seconds.items():
        print(f"  looked up {_named(key)} in {seconds:.3f} s")
    if outcome.reason:
        print(f"  {outcome.reason}")
    if outcome.value:
        print("\n".join(output.lines(_seen(outcome.value, secret=secret))))


def _compare(outcome: Outcome, url: str, ask: Callable[[], Any], *, secret: bool) -> None:
    try:
        there = ask()
    except live.NotLive as reason:
        print(f"Not compared: {reason}.")
        return
    change = output.difference(_seen(there, secret=secret), _seen(outcome.value, secret=secret))
    print(change or f"The service at {url} answers the same.")


def _seen(value: Mapping[str, Any], *, secret: bool) -> Any:
    return output.hidden(dict(value)) if secret else dict(value)


def _named(key: object) -> str:
    return " ".join(map(str, key)) if isinstance(key, tuple) else str(key)
