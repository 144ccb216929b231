"""The panel of enabled providers: asked side by side, under one deadline.

Each provider has a few threads of its own, so one that hangs starves nobody but itself.
"""

import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future, wait
from functools import partial
from typing import Any, Protocol

import msgspec

from firstlight.instance.answer import State
from firstlight.vendordata import cloud_config
from firstlight.vendordata.contract import Context, Provider, ProviderFailed
from firstlight.vendordata.outcome import Outcome
from firstlight.vendordata.threads import Threads

LOG = logging.getLogger(__name__)

Clock = Callable[[], float]


class Counted(Protocol):
    """Who is told of every outcome: the metrics."""

    def __call__(self, outcome: Outcome) -> None: ...


class Panel:
    """`providers` in the order of their answers; `threads` is for each of them.

    `clock` counts seconds and never goes back.
    """

    def __init__(
        self,
        providers: Mapping[str, Provider],
        *,
        threads: int,
        counted: Counted,
        clock: Clock = time.monotonic,
    ) -> None:
        self._providers = dict(providers)
        self._counted = counted
        self._clock = clock
        self._threads = {name: Threads[Outcome](f"provider-{name}", threads) for name in providers}

    @property
    def names(self) -> Sequence[str]:
        """The enabled providers, in order."""
        return tuple(self._providers)

    def ask(
        self, context: Context, names: Iterable[str], *, until: float, request: str
    ) -> Sequence[Outcome]:
        """What each of `names` said by the time `until`; `request` is the id for the log.

        A provider that fails or is late is a FAILED outcome; nothing is raised for it.
        """
        asked = self._clock()
        futures = {name: self._start(name, context) for name in names}
        wait(futures.values(), timeout=max(0.0, until - asked))
        outcomes = [self._collect(name, future, asked) for name, future in futures.items()]
        for outcome in outcomes:
            self._counted(outcome)
            _log(outcome, context, request)
        return outcomes

    def close(self) -> None:
        """Let the providers go; a call that hangs is left behind."""
        for threads in self._threads.values():
            threads.close()
        for provider in self._providers.values():
            provider.close()

    def _start(self, name: str, context: Context) -> Future[Outcome]:
        provider = self._providers[name]
        call = partial(provide, name, provider, context, clock=self._clock)
        return self._threads[name].submit(call)

    def _collect(self, name: str, future: Future[Outcome], asked: float) -> Outcome:
        if future.cancel():
            return self._late(name, asked, "Every thread of this provider was busy.")
        if not future.done():
            return self._late(name, asked, "It had not answered by the deadline.")
        return future.result()

    def _late(self, name: str, asked: float, why: str) -> Outcome:
        seconds = self._clock() - asked
        return Outcome(provider=name, state=State.FAILED, seconds=seconds, reason=why)


def provide(name: str, provider: Provider, context: Context, *, clock: Clock) -> Outcome:
    """Ask one provider, here and now. Whatever it raises becomes a FAILED outcome."""
    started = clock()

    def outcome(state: State, **known: Any) -> Outcome:
        return Outcome(provider=name, state=state, seconds=clock() - started, **known)

    try:
        value = _checked(_as_json(provider.provide(context)))
    except ProviderFailed as failure:
        return outcome(State.FAILED, reason=str(failure))
    except Exception as error:  # a provider may be anybody's: this is its boundary, not ours
        LOG.exception("Provider %s raised what it should not have", name)
        return outcome(State.FAILED, reason=f"It raised {type(error).__name__}; the log has more.")
    return outcome(
        State.OK if value else State.EMPTY,
        value=value,
        max_age=provider.max_age,
        confidential=provider.confidential,
    )


def _as_json(value: Mapping[str, Any] | None) -> dict[str, Any]:
    """A copy of `value` as the caller will read it, so that nobody can change it any more."""
    if not value:
        return {}
    try:
        return msgspec.json.decode(msgspec.json.encode(dict(value)), type=dict[str, Any])
    except (TypeError, ValueError, RecursionError, msgspec.MsgspecError) as error:
        raise ProviderFailed(f"Its answer cannot be written as a JSON object: {error}.") from error


def _checked(value: dict[str, Any]) -> dict[str, Any]:
    reason = cloud_config.check(value.get(cloud_config.KEY, {}))
    if reason:
        raise ProviderFailed(f"Its answer cannot be merged: {reason}.")
    return value


def _log(outcome: Outcome, context: Context, request: str) -> None:
    level = logging.WARNING if outcome.state is State.FAILED else logging.DEBUG
    LOG.log(
        level,
        "[%s] instance %s: provider %s: %s in %.3f s%s",
        request,
        context.instance_id,
        outcome.provider,
        outcome.state.value,
        outcome.seconds,
        f": {outcome.reason}" if outcome.reason else "",
    )
