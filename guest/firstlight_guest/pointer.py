"""One value inside a document: JSON Pointer, RFC 6901."""

import json
from typing import Any

from .errors import NotThere


def find(document: Any, pointer: str) -> Any:
    """The value, where `pointer` is like ``/meta/role`` or ``/keys/0/data``.

    Raises:
        NotThere: there is none.
    """
    value = document
    for word in filter(None, pointer.split("/")):
        key = word.replace("~1", "/").replace("~0", "~")
        if isinstance(value, dict) and key in value:
            value = value[key]
        elif isinstance(value, list) and key.isdigit() and int(key) < len(value):
            value = value[int(key)]
        else:
            raise NotThere(f"there is no {pointer}")
    return value


def text(value: Any) -> str:
    """As a shell script likes it: a string as it is, anything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True)
