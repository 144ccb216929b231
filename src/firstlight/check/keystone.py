"""Whether a section's credentials give a token."""

from collections.abc import Iterator
from typing import Any

from keystoneauth1.session import Session
from oslo_config import cfg

from firstlight.check.place import place
from firstlight.check.remedies import for_keystone
from firstlight.check.step import Finding, broken, ok
from firstlight.targets.failure import CALL_ERRORS, reason


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


def _whose(session: Session) -> str:
    """User, project and roles, where the plugin knows them."""
    access: Any = getattr(session.auth, "get_access", lambda _session: None)(session)
    if access is None:
        return "no token is needed"
    roles = ", ".join(access.role_names) or "none"
    where = f"project {access.project_name}" if access.project_name else "no project"
    return f"token of {access.username}, {where}, roles: {roles}"
