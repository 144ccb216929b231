"""The ``cloud-config`` objects of several providers as one text that cloud-init reads."""

import logging
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

import msgspec
import yaml

from firstlight.vendordata.cloud_init.merging import (
    OURS,
    MergeHowInvalid,
    Replaced,
    Strategy,
    merged,
    strategy_of,
)

LOG = logging.getLogger(__name__)

# A provider's object may hold one under this key; the merged text is answered under the other.
KEY = "cloud-config"
MERGED_KEY = "cloud-init"

# Bytes of a cloud-config whose text is kept in memory, in case it is asked for again.
_REMEMBERED = 16 * 1024


def check(config: Any) -> str | None:
    """Why `config` cannot be merged, or None if it can."""
    if not isinstance(config, Mapping):
        return f"{KEY} is not an object"
    try:
        _strategy(config)
    except MergeHowInvalid as error:
        return f"{KEY}: {error}"
    return None


def merged_text(parts: Iterable[tuple[str, Mapping[str, Any]]]) -> str:
    """``#cloud-config`` and YAML of all `parts`, (provider, object) in order; "" if there are none.

    A part's ``merge_how`` says how it is merged with those before it, and stays in the text for
    cloud-init to use. A scalar that a later provider replaced is logged by its path.
    """
    whole: dict[str, Any] = {}
    for provider, part in parts:
        whole = merged(whole, part, strategy=_strategy(part), replaced=_logged(provider))
    if not whole:
        return ""
    written = msgspec.json.encode(whole)
    return _text(written) if len(written) <= _REMEMBERED else _text.__wrapped__(written)


@lru_cache(maxsize=64)
def _text(written: bytes) -> str:
    """Most instances of a cloud get the same, and YAML is what costs most of an answer.

    Guests see this text: to the byte as nova-pollinate wrote it.
    """
    return "#cloud-config\n" + yaml.safe_dump(msgspec.json.decode(written))


def _strategy(part: Mapping[str, Any]) -> Strategy:
    # cloud-init takes the older spelling too.
    how = part.get("merge_how", part.get("merge_type"))
    return OURS if how is None else strategy_of(how)


def _logged(provider: str) -> Replaced:
    return lambda path: LOG.info(
        "%s: provider %s replaced %s of an earlier one", KEY, provider, path
    )
