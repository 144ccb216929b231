"""The HTTP of the service, all of it.

=============================  ===================================================================
``POST /``                     object keyed by provider (nova-pollinate's shape)
``POST /providers/NAME``       that provider's bare object (pcss-vendor-metadata's shape)
``POST /cloud-init``           the merged cloud-config as a JSON string
``GET /healthcheck``           200, without authentication
``GET /test``                  whether secrets can be read, without authentication; only in the
                               shape of nova-pollinate
=============================  ===================================================================

In the shape of pcss-vendor-metadata every path but the health check answers, to every method, the
bare object of its one provider.

Who may call is decided before a request comes here: see :mod:`firstlight.vendordata.auth.gates`.
"""

import json
import logging
import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import falcon
import msgspec

from firstlight.concurrency.throttle import ThrottledLog
from firstlight.conf.compat_mode import CompatMode
from firstlight.instance.answer import State
from firstlight.vendordata.auth import audit
from firstlight.vendordata.auth.caller_roles import READS_SECRETS, ROLES
from firstlight.vendordata.contract import Context
from firstlight.vendordata.dispatch.dispatcher import Dispatcher
from firstlight.vendordata.dispatch.outcome import Outcome
from firstlight.vendordata.http import responses
from firstlight.vendordata.http.errors import RETRY_AFTER, error_body
from firstlight.vendordata.http.request_body import INSTANCE, LIMIT, PROJECT, BadBody, read_context
from firstlight.vendordata.http.request_id import REQUEST_ID, STARTED, SUBJECT
from firstlight.vendordata.http.responses import ServiceReply
from firstlight.vendordata.http.secrets_test import SecretsTest

if TYPE_CHECKING:
    App = falcon.App[falcon.Request, falcon.Response]

LOG = logging.getLogger(__name__)
_UNFORESEEN = ThrottledLog(LOG)

_CONFIDED = (
    "What {secret} answers is confidential: it is told to a token whose scope is the system or "
    "that has the role service or admin, and this one has the roles: {roles}. Give Nova's "
    "[vendordata_dynamic_auth] user the role service, or name its role in [firstlight] "
    "required_roles."
)

HEALTHCHECK = "/healthcheck"
TEST = "/test"

# The one provider of pcss-vendor-metadata.
SRIOV = "mlnx_sriov"

_EVERYTHING = re.compile("/")

# What a body must name. Those that we stand in for were content with what they used.
_NEEDED = {
    CompatMode.FIRSTLIGHT: (PROJECT, INSTANCE),
    CompatMode.POLLINATE: (PROJECT,),
    CompatMode.PCSS: (INSTANCE,),
}


class ProviderQuestions:
    """Asks the panel what a request wants to know, within `deadline` seconds of its arrival."""

    def __init__(self, panel: Dispatcher, deadline: float, needed: Sequence[str]) -> None:
        self._panel = panel
        self._deadline = deadline
        self._needed = needed
        self._refused = ThrottledLog(LOG)

    def of_all(self, req: falcon.Request) -> list[Outcome]:
        """What every provider says."""
        return self._ask(req, self._panel.names)

    def of_one(self, req: falcon.Request, name: str) -> Outcome:
        """What the provider `name` says."""
        if name not in self._panel.names:
            enabled = ", ".join(self._panel.names) or "none"
            raise falcon.HTTPNotFound(
                description=f"No provider {name} is enabled; [DEFAULT] providers has: {enabled}."
            )
        (outcome,) = self._ask(req, (name,))
        return outcome

    def _ask(self, req: falcon.Request, names: Sequence[str]) -> list[Outcome]:
        self._guard(req, names)
        context = _context(req, self._needed)
        req.context.asked = context
        until = req.env[STARTED] + self._deadline
        request = req.env[REQUEST_ID]
        return list(self._panel.ask(context, names, until=until, request=request))

    def _guard(self, req: falcon.Request, names: Sequence[str]) -> None:
        """Refuse a caller who may not read secrets, if one of `names` tells some."""
        if req.env.get(READS_SECRETS) is True:
            return
        if secret := ", ".join(self._panel.confidential(names)):
            roles = req.env.get(ROLES, "unknown")
            self._refused.warning(
                "a caller without the role service or admin was refused: request %s, confidential "
                "providers %s, roles %s",
                req.env[REQUEST_ID],
                secret,
                roles,
            )
            raise falcon.HTTPForbidden(description=_CONFIDED.format(secret=secret, roles=roles))


class ByProvider:
    """``/``."""

    def __init__(self, questions: ProviderQuestions) -> None:
        self._questions = questions

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        _send(req, resp, responses.by_provider(self._questions.of_all(req)))


class OneProvider:
    """``/providers/NAME``. Nothing to say is ``{}``; failed is 503."""

    def __init__(self, questions: ProviderQuestions) -> None:
        self._questions = questions

    def on_post(self, req: falcon.Request, resp: falcon.Response, name: str) -> None:
        outcome = self._questions.of_one(req, name)
        if outcome.state is State.FAILED:
            raise falcon.HTTPServiceUnavailable(
                description=_failure(req, outcome), retry_after=RETRY_AFTER
            )
        _send(req, resp, responses.bare(outcome))


class Sriov:
    """Every path of pcss-vendor-metadata; its errors are 500."""

    def __init__(self, questions: ProviderQuestions) -> None:
        self._questions = questions

    def __call__(self, req: falcon.Request, resp: falcon.Response, **_groups: Any) -> None:
        outcome = self._questions.of_one(req, SRIOV)
        if outcome.state is State.FAILED:
            raise falcon.HTTPInternalServerError(description=_failure(req, outcome))
        _send(req, resp, responses.bare(outcome))
        # To the byte what pcss-vendor-metadata said.
        resp.data = json.dumps(outcome.value, indent=4, sort_keys=True).encode()
        resp.content_type = "text/html; charset=UTF-8"


class CloudInit:
    """``/cloud-init``."""

    def __init__(self, questions: ProviderQuestions) -> None:
        self._questions = questions

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        _send(req, resp, responses.cloud_init(self._questions.of_all(req)))


class Healthcheck:
    """``/healthcheck``: the process answers. What it depends on is the status listener's to say."""

    def on_get(self, _req: falcon.Request, resp: falcon.Response) -> None:
        resp.content_type = falcon.MEDIA_TEXT
        resp.text = "OK"


def make_app(
    panel: Dispatcher,
    *,
    deadline: float,
    shape: CompatMode = CompatMode.FIRSTLIGHT,
    read_secrets: Callable[[], object] = lambda: None,
) -> "App":
    """The falcon application, asking `panel`; it wants :func:`arrival.noted` around it.

    `read_secrets` is what ``GET /test`` tries; it raises ConfigError or ProviderFailed.
    """
    app = falcon.App()
    questions = ProviderQuestions(panel, deadline, _NEEDED[shape])
    app.add_route(HEALTHCHECK, Healthcheck())
    if shape is CompatMode.PCSS:
        app.add_sink(Sriov(questions), _EVERYTHING)
    else:
        app.add_route("/", ByProvider(questions))
        app.add_route("/providers/{name}", OneProvider(questions))
        app.add_route("/cloud-init", CloudInit(questions))
    if shape is CompatMode.POLLINATE:
        app.add_route(TEST, SecretsTest(read_secrets))
    app.set_error_serializer(_serialize)
    app.add_error_handler(Exception, _unforeseen)
    return app


def _failure(req: falcon.Request, outcome: Outcome) -> str:
    return (
        f"Provider {outcome.provider} failed: {outcome.reason} Try again later; the log has more "
        f"under {req.env[REQUEST_ID]}."
    )


def _context(req: falcon.Request, needed: Sequence[str]) -> Context:
    # A server that ends the input itself (chunked bodies) says so; else the length does.
    stream = req.stream if req.env.get("wsgi.input_terminated") else req.bounded_stream
    body = stream.read(LIMIT + 1)
    if len(body) > LIMIT:
        raise falcon.HTTPError(
            413, description=f"The body is longer than {LIMIT} bytes; Nova's never are."
        )
    try:
        context = read_context(body, needed)
    except BadBody as error:
        raise falcon.HTTPBadRequest(description=str(error)) from error
    if SUBJECT in req.env:
        req.env[SUBJECT](context.instance_id)
    return context


def _send(req: falcon.Request, resp: falcon.Response, reply: ServiceReply) -> None:
    resp.data = msgspec.json.encode(reply.value)
    resp.content_type = falcon.MEDIA_JSON
    resp.set_header("Cache-Control", reply.cache_control)
    if reply.failed:
        resp.set_header("Firstlight-Failed", ", ".join(reply.failed))
    audit.note(reply, req.context.asked, request=req.env[REQUEST_ID], caller=_checked_caller(req))


def _checked_caller(req: falcon.Request) -> str:
    """The user's id in Keystone; empty where nobody checks who calls."""
    checked = "keystone.token_auth" in req.env  # set by keystonemiddleware
    return req.env.get("HTTP_X_USER_ID", "") if checked else ""


_REMEDIES = {
    404: "There is nothing at {path}; POST to /, /cloud-init or /providers/NAME.",
    405: "{path} does not take {method}; the header Allow says what it takes.",
}


def _serialize(req: falcon.Request, resp: falcon.Response, error: falcon.HTTPError) -> None:
    status = falcon.http_status_to_code(error.status)  # falcon before 4.0 has no status_code
    remedy = _REMEDIES.get(status, "{method} {path} could not be answered.")
    message = error.description or remedy.format(path=req.path, method=req.method)
    resp.data = error_body(status, message)
    resp.content_type = falcon.MEDIA_JSON


def _unforeseen(
    req: falcon.Request, _resp: falcon.Response, error: Exception, _params: object
) -> None:
    """The process's one catch-all: our own mistake, logged whole, told briefly."""
    request = req.env[REQUEST_ID]
    _UNFORESEEN.error("[%s] %s %s", request, req.method, req.path, exc_info=error)
    raise falcon.HTTPInternalServerError(
        description=f"The service made a mistake; its log has more under {request}."
    )
