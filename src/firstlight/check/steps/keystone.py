"""Whether a section's credentials give a token."""

from collections.abc import Iterator
from typing import Any

from keystoneauth1.session import Session
from oslo_config import cfg

from firstlight.check.option_location import place
from firstlight.check.remedies import for_keystone
from firstlight.check.step import Finding, broken, ok
from firstlight.vendordata.auth.caller_roles import names
from firstlight.vendordata_client.calls.failure import CALL_ERRORS, reason


def token(conf: cfg.ConfigOpts, group: str, session: Session) -> Iterator[Finding]:
    """What `session`, made from the section `group`, gets of Keystone."""
    section = conf[group].auth_section or group
    try:
        session.get_auth_headers()
    except CALL_ERRORS as error:
        said = reason(error)
        option = "username" if "401" in said else "auth_url"
        yield broken(f"no token: {said}", place(conf, section, option), remedy=for_keystone(said))
        return
    yield ok(_whose(session))


def roles(session: Session) -> tuple[frozenset[str], bool] | None:
    """The roles of the token, and whether its scope is the system; None: there is no token."""
    try:
        access = _access(session)
    except CALL_ERRORS:
        return None
    return None if access is None else (names(access.role_names), access.system_scoped)


def _access(session: Session) -> Any:
    return getattr(session.auth, "get_access", lambda _session: None)(session)


def _whose(session: Session) -> str:
    """User, project and roles, where the plugin knows them."""
    access = _access(session)
    if access is None:
        return "no token is needed"
    roles = ", ".join(access.role_names) or "none"
    where = f"project {access.project_name}" if access.project_name else "no project"
    where = "the system" if access.system_scoped else where
    return f"token of {access.username}, {where}, roles: {roles}"
