"""The panel of enabled providers: asked side by side, under one deadline.

Each provider has a few threads of its own, so one that hangs starves nobody but itself.
"""

import logging
import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future, wait
from functools import partial
from typing import Protocol

from msgspec import structs

from firstlight.concurrency.throttle import ThrottledLog
from firstlight.instance.answer import State
from firstlight.vendordata.contract import Context, Provider
from firstlight.vendordata.dispatch.call_provider import Clock, call_provider
from firstlight.vendordata.dispatch.outcome import Outcome
from firstlight.vendordata.dispatch.request_cache import RequestCache
from firstlight.vendordata.dispatch.shadow import Shadow
from firstlight.vendordata.dispatch.threads import Threads
from firstlight.vendordata.policy.provider_policy import ProviderPolicy

LOG = logging.getLogger(__name__)

_OUTCOME = "[%s] instance %s: provider %s: %s in %.3f s%s"


class OutcomeObserver(Protocol):
    """Who is told of every outcome: the metrics."""

    def __call__(self, outcome: Outcome) -> None: ...


class Dispatcher:
    """`providers` in the order of their answers; `threads` is for each of them.

    `terms` are by name too; who has none answers everybody. `clock` counts seconds and never goes
    back.
    """

    def __init__(
        self,
        providers: Mapping[str, Provider],
        *,
        threads: int,
        counted: OutcomeObserver,
        terms: Mapping[str, ProviderPolicy] | None = None,
        clock: Clock = time.monotonic,
    ) -> None:
        self._providers = dict(providers)
        self._counted = counted
        self._failures = ThrottledLog(LOG)
        self._clock = clock
        self._terms = {name: ProviderPolicy() for name in providers} | dict(terms or {})
        self._threads = {name: Threads[Outcome](f"provider-{name}", threads) for name in providers}
        self._shadows = {
            name: Shadow(name, threads, counted) for name in providers if self._terms[name].shadow
        }

    @property
    def names(self) -> Sequence[str]:
        """The enabled providers, in order."""
        return tuple(self._providers)

    @property
    def providers(self) -> Mapping[str, Provider]:
        """The same, with what is behind the names."""
        return self._providers

    def confidential(self, names: Iterable[str]) -> Sequence[str]:
        """Those of `names` whose answers are secret and are given to callers."""
        return [
            name
            for name in names
            if self._providers[name].confidential and name not in self._shadows
        ]

    def ask(
        self, context: Context, names: Iterable[str], *, until: float, request: str
    ) -> Sequence[Outcome]:
        """What each of `names` said by the time `until`; `request` is the id for the log.

        A provider that fails or is late is a FAILED outcome; nothing is raised for it.
        """
        started, names = self._clock(), list(names)
        context = structs.replace(context, shared=RequestCache(until, clock=self._clock))
        futures = {name: self._start(name, context) for name in names if name not in self._shadows}
        shadows = {name: self._shadow(name, context, request) for name in set(names) - set(futures)}
        wait(futures.values(), timeout=max(0.0, until - started))
        told = {name: self._collect(name, future, started) for name, future in futures.items()}
        for outcome in told.values():
            self._counted(outcome)
            self._log(outcome, context, request)
        everything = told | shadows
        return [everything[name] for name in names]

    def close(self) -> None:
        """Let the providers go; a call that hangs is left behind."""
        for threads in self._threads.values():
            threads.close()
        for provider in self._providers.values():
            provider.close()

    def _start(self, name: str, context: Context) -> Future[Outcome]:
        provider, terms = self._providers[name], self._terms[name]
        call = partial(call_provider, name, provider, context, clock=self._clock, terms=terms)
        return self._threads[name].submit(call)

    def _shadow(self, name: str, context: Context, request: str) -> Outcome:
        start = partial(self._start, name, context)
        return self._shadows[name].ask(start, context, request=request)

    def _collect(self, name: str, future: Future[Outcome], started: float) -> Outcome:
        if future.cancel():
            return self._late(name, started, "Every thread of this provider was busy.")
        if not future.done():
            return self._late(name, started, "It had not answered by the deadline.")
        return future.result()

    def _late(self, name: str, started: float, why: str) -> Outcome:
        seconds = self._clock() - started
        return Outcome(provider=name, state=State.FAILED, seconds=seconds, reason=why)

    def _log(self, outcome: Outcome, context: Context, request: str) -> None:
        args = (
            request,
            context.instance_id,
            outcome.provider,
            outcome.state.value,
            outcome.seconds,
            f": {outcome.reason}" if outcome.reason else "",
        )
        if outcome.state is State.FAILED:
            self._failures.warning(_OUTCOME, *args, of=outcome.provider)
        else:
            LOG.debug(_OUTCOME, *args)
