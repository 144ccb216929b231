"""The request's body: the JSON object Nova sends, read leniently.

Nova sends seven keys (nova/api/metadata/vendordata_dynamic.py); Pollinate's users send three by
hand. What is missing and not needed gets a default, what is not known is ignored.
"""

from collections.abc import Iterable

from msgspec import DecodeError, Struct, ValidationError, json

from firstlight.vendordata.contract import Context

# User data is at most 64 KiB of base64, metadata 128 pairs of 255 characters by default.
LIMIT = 1 << 20

PROJECT = "project-id"
INSTANCE = "instance-id"

# Who is not named is nobody: not an empty word, which some services take for "all of them".
NOBODY = {PROJECT: "0" * 32, INSTANCE: "00000000-0000-0000-0000-000000000000"}

_WANTED = 'a JSON object such as {"project-id": "…", "instance-id": "…"}'


class BadBody(Exception):
    """The caller's fault; the message says what to send instead."""


class _Body(Struct, rename="kebab"):
    project_id: str = ""
    instance_id: str = ""
    image_id: str | None = None
    user_data: str | None = None
    hostname: str | None = None
    metadata: dict[str, str] | None = None
    boot_roles: str | None = None


def read_context(body: bytes, needed: Iterable[str] = (PROJECT, INSTANCE)) -> Context:
    """The instance that `body` names; an id that is not `needed` may be missing.

    Raises:
        BadBody: it is no JSON object, lacks an id, or a value has the wrong type.
    """
    if not body.strip():
        raise BadBody(f"The body is empty; send {_WANTED}.")
    sent = _decode(body)
    return Context(
        project_id=_id(PROJECT, sent.project_id, needed),
        instance_id=_id(INSTANCE, sent.instance_id, needed),
        image_id=sent.image_id or "",
        user_data=sent.user_data,
        hostname=sent.hostname or "",
        metadata=sent.metadata or {},
        boot_roles=_roles(sent.boot_roles or ""),
        body=body,
    )


def _id(key: str, value: str, needed: Iterable[str]) -> str:
    if not value:
        if key in needed:
            raise BadBody(f"The body has no {key}; send {_WANTED}.")
        return NOBODY[key]
    if not value.isprintable():  # it would forge lines of the log
        raise BadBody(f"The {key} has control characters in it; send {_WANTED}.")
    return value


def _decode(body: bytes) -> _Body:
    try:
        return json.decode(body, type=_Body)
    except ValidationError as error:
        raise BadBody(f"The body is not what Nova sends: {error}; send {_WANTED}.") from error
    except (DecodeError, UnicodeDecodeError) as error:
        raise BadBody(f"The body is not JSON: {error}; send {_WANTED}.") from error
    except RecursionError as error:
        raise BadBody(f"The body is nested too deeply; send {_WANTED}.") from error


def _roles(joined: str) -> tuple[str, ...]:
    return tuple(role for role in (part.strip() for part in joined.split(",")) if role)
