"""JSON as Nova writes it: ``", "`` and ``": "`` between things, ASCII only, keys in order."""

import json
from typing import Any

# One encoder, made once. msgspec and orjson are faster but neither can be told to write these
# separators and escapes, and guests compare bytes (checksums of vendor data among them).
_encoder = json.JSONEncoder()


def dumps(value: Any) -> bytes:
    """`value` as JSON bytes, no newline at the end."""
    return _encoder.encode(value).encode("ascii")
