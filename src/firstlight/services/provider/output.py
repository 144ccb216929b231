"""Answers as a person reads them, without the secrets in them."""

import difflib
import json
import secrets
from hashlib import blake2b
from typing import Any

# Of this run: two equal secrets look the same, and nothing can be found out from how they look.
_SALT = secrets.token_bytes(16)


def hidden(value: Any) -> Any:
    """`value` with each text, number and flag in it replaced by a mark that tells it apart."""
    if isinstance(value, dict):
        return {key: hidden(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [hidden(inner) for inner in value]
    mark = blake2b(json.dumps(value).encode(), key=_SALT, digest_size=3).hexdigest()
    return f"<secret {mark}>"


def lines(value: Any) -> list[str]:
    """JSON, a key a line."""
    return json.dumps(value, indent=2, ensure_ascii=False, sort_keys=True).splitlines()


def difference(live: Any, here: Any) -> str:
    """What would change, as ``diff -u`` shows it; empty: nothing."""
    return "\n".join(
        difflib.unified_diff(lines(live), lines(here), "live", "here", lineterm="", n=2)
    )
