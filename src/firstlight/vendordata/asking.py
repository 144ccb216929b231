"""Asking one provider, on its terms; whatever it raises becomes an outcome."""

import logging
import traceback
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from firstlight.instance.answer import State
from firstlight.vendordata import cloud_config
from firstlight.vendordata.contract import Context, Provider, ProviderFailed
from firstlight.vendordata.outcome import Outcome
from firstlight.vendordata.terms import Terms, Withheld

LOG = logging.getLogger(__name__)

Clock = Callable[[], float]


def asked(
    name: str,
    provider: Provider,
    context: Context,
    *,
    clock: Clock,
    terms: Terms = Terms(),  # noqa: B008  (immutable)
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
        value = _answer(provider, context, terms)
    except Withheld as reason:
        return outcome(State.EMPTY, reason=str(reason))
    except ProviderFailed as failure:
        return outcome(State.FAILED, reason=str(failure))
    except Exception as error:  # noqa: BLE001  (a provider may be anybody's: its boundary)
        log_mistake(name, provider, error)
        return outcome(State.FAILED, reason=f"It raised {type(error).__name__}; the log has more.")
    return outcome(State.OK if value else State.EMPTY, value=value)


def _answer(provider: Provider, context: Context, terms: Terms) -> dict[str, Any]:
    terms.check(context)
    value = _checked(_as_json(provider.provide(context)))
    if value and not terms.shadow:
        terms.given(context)
    return value


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


def log_mistake(name: str, provider: Provider, error: Exception) -> None:
    """What an exception says may hold what a confidential provider knows; where it was does not."""
    if not provider.confidential:
        LOG.error("Provider %s raised what it should not have", name, exc_info=error)
        return
    where = "".join(traceback.format_tb(error.__traceback__))
    LOG.error(
        "Provider %s raised %s; what it says may be secret. It came from\n%s",
        name,
        type(error).__name__,
        where,
    )
