"""Which instance a notification is about."""

from typing import Any

from firstlight.sources.uuids import is_uuid

VERSIONED, UNVERSIONED = "versioned", "unversioned"

# Audits: each instance's, every hour or so, and nothing has changed.
_AUDIT = "exists"


def form(event_type: Any) -> str | None:
    """The form of a notification about an instance; None: it is about something else."""
    if not isinstance(event_type, str) or event_type.endswith(f".{_AUDIT}"):
        return None
    if event_type.startswith("instance."):
        return VERSIONED
    return UNVERSIONED if event_type.startswith("compute.instance.") else None


def instance_of(event_type: Any, payload: Any) -> str | None:
    """The id of the instance that has changed; None: none has, or the payload names none.

    A versioned payload is an object of Nova's (``nova_object.data``), an unversioned one a plain
    dictionary; both are whatever the broker's other users put there, so nothing is taken on trust.
    """
    if not isinstance(payload, dict):
        return None
    match form(event_type):
        case "versioned":
            data = payload.get("nova_object.data")
            found = data.get("uuid") if isinstance(data, dict) else None
        case "unversioned":
            found = payload.get("instance_id")
        case _:
            return None
    return found if isinstance(found, str) and is_uuid(found) else None
