"""Who may ask: keystonemiddleware in front of the application, a caller's word, or anybody.

In keystone mode the middleware strips every identity header that a caller brings before it adds
its own, and it decides at once (``delay_auth_decision`` is off whatever the file says): only so an
unreachable Keystone stays a 503 and never looks like a wrong token.
"""

import logging
from typing import TYPE_CHECKING, Any

import webob
from keystoneauth1.exceptions import ClientException
from keystonemiddleware.auth_token import AuthProtocol
from oslo_config import cfg
from webob.exc import HTTPException

from firstlight.concurrency.throttle import ThrottledLog, throttle
from firstlight.conf import ConfigError
from firstlight.conf.compat_mode import CompatMode
from firstlight.conf.keystone_authtoken import DEFAULTS, GROUP
from firstlight.health import Dependency
from firstlight.vendordata.auth import caller_roles
from firstlight.vendordata.auth.caller_roles import READS_SECRETS, ROLES
from firstlight.vendordata.http.app import HEALTHCHECK, TEST
from firstlight.vendordata.http.errors import RETRY_AFTER, error_body
from firstlight.vendordata.http.request_id import REQUEST_ID

if TYPE_CHECKING:
    from collections.abc import Iterable
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

LOG = logging.getLogger(__name__)

_MESSAGES = {
    401: "The request has no valid token. Send a Keystone token as X-Auth-Token; Nova does if "
    "[vendordata_dynamic_auth] is configured on its side.",
    403: "The token is valid, but its user has none of the roles that [firstlight] required_roles "
    "asks for: {roles}.",
    503: "Keystone could not be asked whether the token is valid. Try again later; see "
    "[keystone_authtoken] if it goes on.",
}

_UNSAID = (
    "The request does not say X-Identity-Status: Confirmed. With [DEFAULT] auth_strategy = {how} a "
    "proxy in front has to, or whoever tests the service; Nova never does: set it to keystone and "
    "fill in [keystone_authtoken]."
)


def open_paths(shape: CompatMode) -> frozenset[str]:
    """Paths that need no authentication."""
    return frozenset({HEALTHCHECK, TEST} if shape is CompatMode.POLLINATE else {HEALTHCHECK})


class KeystoneGate(AuthProtocol):  # type: ignore[misc]  # keystonemiddleware has no types
    """Lets a request with a valid token through to `app`, and notes whether it may read secrets.

    Args:
        required: the token must have one of these roles; empty: any valid token will do; None: the
            same, but only those of :mod:`firstlight.vendordata.auth.caller_roles` read secrets.
        is_open: paths that need no token.
    """

    def __init__(
        self,
        app: Any,
        conf: cfg.ConfigOpts,
        required: frozenset[str] | None,
        is_open: frozenset[str],
    ) -> None:
        super().__init__(app, {"oslo_config_config": conf, "delay_auth_decision": False})
        self._required = required
        self._open = is_open
        self._strangers = ThrottledLog(LOG)
        throttle("keystonemiddleware.auth_token")  # it warns of each token that is not good
        self._trouble: str | None = None  # why a token could not be checked, until Keystone answers

    @property
    def dependency(self) -> Dependency:
        """Keystone, for whoever watches it."""
        return Dependency("keystone", lambda: self._trouble, self._probe)

    def _probe(self) -> None:
        """A new token of our own: one that we hold would say nothing of Keystone."""
        try:
            self._auth.invalidate()
            self._session.get_token(self._auth)
        except ClientException as error:
            self._trouble = f"tokens cannot be checked: {error}"
        else:
            self._trouble = None

    def process_request(self, request: Any) -> webob.Response | None:
        """None: go on; else the refusal."""
        # Not webob's path_info, which raises on an escape that is no UTF-8.
        if request.environ.get("PATH_INFO") in self._open:
            return None
        try:
            super().process_request(request)
        except HTTPException as refusal:
            if refusal.status_int >= 500:
                self._trouble = "a token could not be checked; the log has more"
            return self._refuse(refusal.status_int, refusal.headers)
        except ClientException as error:
            self._strangers.error(
                "a caller's token could not be checked, request %s: %s",
                request.environ[REQUEST_ID],
                error,
            )
            self._trouble = f"a token could not be checked: {error}"
            return self._refuse(503, {})
        roles, system = caller_roles.of_token(request.headers)
        if self._required and self._required.isdisjoint(roles):
            return self._refuse(403, {})
        request.environ[ROLES] = caller_roles.in_words(roles, system)
        request.environ[READS_SECRETS] = caller_roles.reads_secrets(
            roles, system=system, required=self._required
        )
        return None

    def _refuse(self, status: int, headers: Any) -> webob.Response:
        message = _MESSAGES[status].format(roles=", ".join(sorted(self._required or ())))
        response = webob.Response(
            body=error_body(status, message), status=status, content_type="application/json"
        )
        if challenge := headers.get("WWW-Authenticate"):
            response.headers["WWW-Authenticate"] = challenge
        if status == 503:
            response.headers["Retry-After"] = str(RETRY_AFTER)
        return response


class CallerHeaderGate:
    """Lets whoever says that he was authenticated through to `app`; `how` is for the refusal."""

    def __init__(self, app: "WSGIApplication", how: str, is_open: frozenset[str]) -> None:
        self._app = app
        self._how = how
        self._open = is_open

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> "Iterable[bytes]":
        said = environ.get("HTTP_X_IDENTITY_STATUS")
        if said == "Confirmed" or environ.get("PATH_INFO") in self._open:
            environ[READS_SECRETS] = True
            return self._app(environ, start_response)
        body = error_body(401, _UNSAID.format(how=self._how))
        headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
        start_response("401 Unauthorized", headers)
        return [body]


def guarded(app: Any, conf: cfg.ConfigOpts, shape: CompatMode = CompatMode.FIRSTLIGHT) -> Any:
    """`app` behind what ``[DEFAULT] auth_strategy`` asks for.

    Raises:
        ConfigError: ``[keystone_authtoken]`` cannot work.
    """
    how = conf.auth_strategy
    if how == "keystone":
        return _keystone(app, conf, open_paths(shape))
    if how == "testing" or shape is CompatMode.POLLINATE:
        LOG.warning("auth_strategy is %s: whoever says X-Identity-Status is believed.", how)
        return CallerHeaderGate(app, how, open_paths(shape))
    LOG.warning("auth_strategy is noauth: whoever reaches this service reads all it knows.")
    return _everybody(app)


def _everybody(app: "WSGIApplication") -> "WSGIApplication":
    """`app`, whose callers are not checked and get all there is."""

    def call(environ: "WSGIEnvironment", start_response: "StartResponse") -> "Iterable[bytes]":
        environ[READS_SECRETS] = True
        return app(environ, start_response)

    return call


def _keystone(app: Any, conf: cfg.ConfigOpts, is_open: frozenset[str]) -> KeystoneGate:
    for option, value in DEFAULTS.items():
        conf.set_default(option, value, GROUP)
    try:
        required = required_roles(conf)
        gate = KeystoneGate(app, conf, required, is_open)
    except (cfg.Error, ClientException) as error:
        raise ConfigError(f"[{GROUP}]: {error}") from error
    group = conf[GROUP].auth_section or GROUP
    if not conf[group].auth_type:
        raise ConfigError(
            f"[{group}] auth_type is not set: without credentials of its own the service cannot "
            "check anybody's token; set it (password is usual), or [DEFAULT] auth_strategy = noauth"
        )
    if opened := caller_roles.opened(required):
        LOG.warning("%s", opened)
    return gate


def required_roles(conf: cfg.ConfigOpts) -> frozenset[str] | None:
    """``[firstlight] required_roles``; None: the file does not set it."""
    written = conf.firstlight.required_roles
    return None if written is None else caller_roles.names(written)
