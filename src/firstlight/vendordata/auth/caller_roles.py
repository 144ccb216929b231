"""Which callers are told what confidential providers answer.

A token of Keystone's says who its user is, not that he may read other projects' secrets: whatever
project the body names is answered. Nova's own user has the role ``service`` or ``admin``.
"""

from collections.abc import Iterable, Mapping
from typing import Any

#: Key of the WSGI environment: True if the caller is told secrets; absent means no.
READS_SECRETS = "firstlight.reads_secrets"
#: Key of the WSGI environment: the roles of the caller's token, as text for people.
ROLES = "firstlight.roles"

#: Roles whose tokens read secrets where ``[firstlight] required_roles`` says nothing.
TRUSTED = frozenset({"admin", "service"})
#: Roles that every tenant's users have.
TENANTS = frozenset({"_member_", "manager", "member", "reader"})


def names(roles: Iterable[str]) -> frozenset[str]:
    """These roles as they are compared: without case, as oslo.policy does; no empty name."""
    return frozenset(role.strip().lower() for role in roles) - {""}


def of_token(headers: Mapping[str, Any]) -> tuple[frozenset[str], bool]:
    """The roles of a token that keystonemiddleware has checked; whether its scope is the system.

    Only what the middleware has set may be handed in: it takes these headers away from callers.
    """
    roles = names((headers.get("X-Roles") or "").split(","))
    return roles, headers.get("OpenStack-System-Scope") == "all"


def reads_secrets(roles: frozenset[str], *, system: bool, required: frozenset[str] | None) -> bool:
    """Whether a token's user may be told secrets; `required` None: the configuration is silent.

    A token that has one of the roles which an operator requires is good for everything.
    """
    return required is not None or system or bool(roles & TRUSTED)


def opened(required: frozenset[str] | None) -> str | None:
    """What the roles that an operator requires open to tenants, as a sentence; None: nothing."""
    if required == frozenset():
        return (
            "[firstlight] required_roles is set and empty: any valid token, of any tenant, reads "
            "the secrets of all projects; leave the option out, or name the role of Nova's user"
        )
    if theirs := ", ".join(sorted((required or frozenset()) & TENANTS)):
        return (
            "[firstlight] required_roles names a role that tenants' own users have: they read the "
            f"secrets of all projects: {theirs}"
        )
    return None


def in_words(roles: frozenset[str], system: bool) -> str:
    """For a log: ``member, reader``; ``reader, on the system``; ``none``."""
    return (", ".join(sorted(roles)) or "none") + (", on the system" if system else "")
