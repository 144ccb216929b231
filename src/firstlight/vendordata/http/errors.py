"""Errors as JSON, in the one shape that keystonemiddleware answers a refused token with."""

import json
from http import HTTPStatus

# Seconds, with every 503: what is away is mostly away for moments.
RETRY_AFTER = 1


def error_body(status: int, message: str) -> bytes:
    """``{"error": {"code", "title", "message"}}``; `message` says what to do."""
    title = HTTPStatus(status).phrase
    return json.dumps({"error": {"code": status, "title": title, "message": message}}).encode()
