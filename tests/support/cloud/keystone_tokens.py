"""A stand-in for Keystone whose tokens say who they are of: ``member@red``, ``reader@system``.

A user's name is the token that he gets. It does nothing else; real Keystone is asked in tests/lab.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from lab.serving import Asked, Reply, json_reply, serving


def token_of(*roles: str, scope: str, mark: str = "") -> str:
    """A token for a user with these roles on a project, or on the ``system``; "" is unscoped.

    `mark` says nothing to Keystone, and tells the token from others.
    """
    return f"{'+'.join(roles)}@{scope}~{mark}"


@contextmanager
def keystone_words() -> Iterator[str]:
    """Serve it until the block ends; its URL."""
    with serving(_answer) as url:
        yield url


def authtoken_section(url: str) -> str:
    """``[keystone_authtoken]`` that leads to the Keystone at `url`."""
    return (
        "[keystone_authtoken]\nauth_type = admin_token\ntoken = ours\n"
        f"endpoint = {url}/v3\nwww_authenticate_uri = {url}\n"
    )


def user_options(url: str, name: str) -> str:
    """The options of a section whose user has this name, the token that he gets."""
    return (
        f"auth_type = v3password\nauth_url = {url}/v3\nusername = {name}\npassword = p\n"
        "user_domain_name = Default\n"
    )


def _answer(asked: Asked) -> Reply:
    headers = {name.lower(): value for name, value in asked.headers.items()}
    if not asked.path.endswith("/auth/tokens"):
        return json_reply({"version": {"id": "v3.14", "status": "stable", "links": []}})
    if asked.method == "POST":
        words = json.loads(asked.body)["auth"]["identity"]["password"]["user"]["name"]
    else:
        words = headers["x-subject-token"]
    roles, at, scope = words.partition("~")[0].partition("@")
    if not at:
        return Reply(404, b'{"error": {"message": "no such token"}}')
    body = json.dumps({"token": _token(roles.split("+") if roles else [], scope)}).encode()
    status = 201 if asked.method == "POST" else 200
    return Reply(status, body, headers={"X-Subject-Token": words})


def _token(roles: list[str], scope: str) -> dict[str, Any]:
    end = datetime.now(UTC) + timedelta(hours=1)
    token: dict[str, Any] = {
        "methods": ["password"],
        "user": {"id": "u1", "name": "u", "domain": {"id": "default", "name": "Default"}},
        "expires_at": f"{end:%Y-%m-%dT%H:%M:%S.000000Z}",
        "issued_at": "2026-01-01T00:00:00.000000Z",
        "audit_ids": ["a"],
    }
    if scope:
        token["roles"] = [{"id": role, "name": role} for role in roles]
    if scope == "system":
        token["system"] = {"all": True}
    elif scope:
        token["project"] = {"id": scope, "name": scope, "domain": token["user"]["domain"]}
    return token
