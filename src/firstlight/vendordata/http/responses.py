"""From outcomes to what the caller reads: three shapes, and who may keep them."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from msgspec import Struct, structs

from firstlight.instance.answer import State
from firstlight.vendordata.cloud_init import cloud_config
from firstlight.vendordata.dispatch.outcome import Outcome


class ServiceReply(Struct, frozen=True, kw_only=True):
    """`value` is what the caller reads, as JSON."""

    value: Any
    cache_control: str
    failed: tuple[str, ...] = ()  # providers whose part is missing
    secrets: tuple[str, ...] = ()  # providers whose part is in it and confidential


def by_provider(outcomes: Sequence[Outcome]) -> ServiceReply:
    """An object keyed by provider; who has nothing to say, or failed, is absent.

    The ``cloud-config`` of all of them is taken out and merged under ``cloud-init``.
    """
    value: dict[str, Any] = {o.provider: rest for o in outcomes if (rest := _without_config(o))}
    if text := cloud_config.merged_text(_configs(outcomes)):
        value[cloud_config.MERGED_KEY] = text
    return _reply(value, outcomes)


def cloud_init(outcomes: Sequence[Outcome]) -> ServiceReply:
    """The merged cloud-config as a string, which is what cloud-init wants; "" if there is none."""
    reply = _reply(cloud_config.merged_text(_configs(outcomes)), outcomes)
    merged = {provider for provider, _ in _configs(outcomes)}
    secrets = tuple(provider for provider in reply.secrets if provider in merged)
    return structs.replace(reply, secrets=secrets)


def bare(outcome: Outcome) -> ServiceReply:
    """One provider's object as it gave it."""
    return _reply(dict(outcome.value), [outcome])


def _reply(value: Any, outcomes: Sequence[Outcome]) -> ServiceReply:
    failed = tuple(o.provider for o in outcomes if o.state is State.FAILED)
    secrets = tuple(o.provider for o in outcomes if o.confidential and o.value)
    return ServiceReply(
        value=value, cache_control=cache_control(outcomes), failed=failed, secrets=secrets
    )


def cache_control(outcomes: Iterable[Outcome]) -> str:
    """The least that every provider allows. Half an answer is not kept.

    ``private``: in the memory of the process that asked and nowhere else.
    """
    answering = [o for o in outcomes if not o.shadow]
    ages = [None if o.state is State.FAILED else o.max_age for o in answering]
    kept = [age for age in ages if age is not None]
    if not kept or len(kept) < len(ages):
        return "no-store"
    private = "private, " if any(o.confidential for o in answering) else ""
    return f"{private}max-age={min(kept)}"


def _without_config(outcome: Outcome) -> Mapping[str, Any]:
    return {key: value for key, value in outcome.value.items() if key != cloud_config.KEY}


def _configs(outcomes: Iterable[Outcome]) -> Iterable[tuple[str, Mapping[str, Any]]]:
    return (
        (o.provider, o.value[cloud_config.KEY]) for o in outcomes if cloud_config.KEY in o.value
    )
