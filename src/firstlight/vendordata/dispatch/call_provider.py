"""Asking one provider, on its terms; whatever it raises becomes an outcome."""

import logging
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from typing import Any

import msgspec

from firstlight import log_records
from firstlight.concurrency.throttle import ThrottledLog
from firstlight.instance.answer import State
from firstlight.vendordata.cloud_init import cloud_config
from firstlight.vendordata.contract import Context, Provider, ProviderFailed
from firstlight.vendordata.dispatch.outcome import Outcome
from firstlight.vendordata.policy.provider_policy import ProviderPolicy, Withheld

LOG = ThrottledLog(logging.getLogger(__name__))

Clock = Callable[[], float]


def call_provider(
    name: str,
    provider: Provider,
    context: Context,
    *,
    clock: Clock,
    terms: ProviderPolicy = ProviderPolicy(),  # noqa: B008  (immutable)
) -> Outcome:
    """Ask `provider`, here and now."""
    started = clock()

    def outcome(state: State, **known: Any) -> Outcome:
        return Outcome(
            provider=name,
            state=state,
            seconds=clock() - started,
            # Once a boot means that nobody who asked may answer from memory afterwards.
            max_age=None if terms.release is not None else provider.max_age,
            confidential=provider.confidential,
            shadow=terms.shadow,
            **known,
        )

    try:
        with log_records.confidential() if provider.confidential else nullcontext():
            value = _answer(provider, context, terms)
        return outcome(State.OK if value else State.EMPTY, value=value)
    except Withheld as reason:
        return outcome(State.EMPTY, reason=str(reason))
    except ProviderFailed as failure:
        return outcome(State.FAILED, reason=str(failure))
    except Exception as error:  # noqa: BLE001  (a provider may be anybody's: its boundary)
        mistake = error
    # Here and not above: what is logged while an exception is handled may be given its text.
    log_mistake(name, provider, mistake)
    why = f"It raised {type(mistake).__name__}; the log has more."
    return outcome(State.FAILED, reason=why)


def _answer(provider: Provider, context: Context, terms: ProviderPolicy) -> dict[str, Any]:
    terms.check(context)
    secret = provider.confidential
    value = _checked(_as_json(provider.provide(context), secret=secret), secret=secret)
    if value and not terms.shadow:
        terms.given(context)
    return value


def _as_json(value: Mapping[str, Any] | None, *, secret: bool) -> dict[str, Any]:
    """A copy of `value` as the caller will read it, so that nobody can change it any more."""
    if not value:
        return {}
    try:
        return msgspec.json.decode(msgspec.json.encode(dict(value)), type=dict[str, Any])
    except (TypeError, ValueError, RecursionError, msgspec.MsgspecError) as error:
        why = type(error).__name__ if secret else error
        raise ProviderFailed(f"Its answer cannot be written as a JSON object: {why}.") from error


def _checked(value: dict[str, Any], *, secret: bool) -> dict[str, Any]:
    reason = cloud_config.check(value.get(cloud_config.KEY, {}))
    if reason:
        reason = f"its {cloud_config.KEY} is no object or its merge_how odd" if secret else reason
        raise ProviderFailed(f"Its answer cannot be merged: {reason}.")
    return value


class Unsaid(Exception):
    """Stands in a traceback for an exception whose words may be secret."""


def log_mistake(name: str, provider: Provider, error: Exception) -> None:
    """What an exception says may hold what a confidential provider knows; where it was does not.

    Nor do the exceptions that led to it reach the log, then: they may say the same.
    """
    if provider.confidential:
        kind = type(error).__name__
        error = Unsaid(f"{kind}; what it says may be secret").with_traceback(error.__traceback__)
    LOG.error("provider %s failed with an unexpected exception", name, of=name, exc_info=error)
