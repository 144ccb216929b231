"""Between the HTTP server and WSGI (PEP 3333), both ways."""

import io
import logging
import sys
from collections.abc import Iterable
from concurrent.futures import Future, wait
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote_to_bytes

from firstlight.concurrency.workers import Overloaded, Workers
from firstlight.httpd.limits import Limits
from firstlight.httpd.protocol import refusals, request_ids
from firstlight.httpd.protocol.messages import Handler, Request, Response
from firstlight.httpd.protocol.refusals import MakeRefusal, Rejection, RequestRejected

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

LOG = logging.getLogger(__name__)

_Headers = list[tuple[str, str]]

# The environment's key of what an application calls with who was asking, for the access log.
SUBJECT = "firstlight.subject"

# The HTTP server's business, or that of one connection only (RFC 9110 §7.6.1).
_NOT_THE_APPS = frozenset((
    "connection", "content-length", "date", "keep-alive", "server", "te", "trailer",
    "transfer-encoding", "upgrade",
))  # fmt: skip
_BODILESS = frozenset((204, 304))


class WsgiHandler:
    """A handler that has a WSGI application answer, on the threads of `pool`.

    A full pool is answered with 503 and ``Retry-After: retry_after`` seconds.

    HEAD is asked of the application as GET, as mod_wsgi does: the server needs the body to say how
    long it is, and few applications say it themselves.
    """

    def __init__(self, app: "WSGIApplication", pool: Workers, *, retry_after: int = 1) -> None:
        self._app = app
        self._pool = pool
        self._retry_after = str(retry_after).encode()

    def __call__(self, request: Request) -> "Response | Future[Response]":
        """Answer one request."""
        try:
            return self._pool.submit(self._run, request)
        except Overloaded as overloaded:
            headers = ((b"Retry-After", self._retry_after),)
            return Response(503, f"{overloaded}\n".encode(), headers=headers)

    def _run(self, request: Request) -> Response:
        answer = _Answer()
        chunks = self._app(environ_of(request), answer.start)
        try:
            for chunk in chunks:
                answer.write(chunk)
        finally:
            close = getattr(chunks, "close", None)
            if close is not None:
                close()
        return answer.response()


class _Answer:
    """Takes an application's answer; whole, so an error may still replace it."""

    def __init__(self) -> None:
        self._status = 0
        self._headers: _Headers = []
        self._body = io.BytesIO()

    def start(
        self, status: str, headers: _Headers, exc_info: Any = None
    ) -> Any:  # PEP 3333's write()
        if self._status and exc_info is None:
            raise RuntimeError("the application called start_response twice")
        self._status = int(status[:3])
        self._headers = list(headers)
        return self.write

    def write(self, chunk: bytes) -> None:
        self._body.write(chunk)

    def response(self) -> Response:
        if not self._status:
            raise RuntimeError("the application did not call start_response")
        content_type = b""
        others = []
        for name, value in self._headers:
            if name.lower() == "content-type":
                content_type = value.encode("latin-1")
            elif name.lower() not in _NOT_THE_APPS:
                others.append((name.encode("latin-1"), value.encode("latin-1")))
        return Response(self._status, self._body.getvalue(), content_type, tuple(others))


def environ_of(request: Request) -> "WSGIEnvironment":
    """What PEP 3333 wants an application to know of a request.

    Header names with an underscore are left out: ``X_Instance_Id`` would arrive under the same key
    as ``X-Instance-Id`` and could pass for it. So is ``Proxy``: as HTTP_PROXY it would direct the
    application's own requests (CVE-2016-5385).
    """
    path, _, query = request.target.partition("?")
    host, _, port = (request.header(b"host") or "").rpartition(":")
    environ: WSGIEnvironment = {
        "REQUEST_METHOD": "GET" if request.method == "HEAD" else request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
        "QUERY_STRING": query,
        "SERVER_NAME": host or request.header(b"host") or "localhost",
        "SERVER_PORT": port if host and port.isdigit() else "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": request.peer,
        "CONTENT_LENGTH": str(len(request.body)),
        "openstack.request_id": request.id,  # where oslo's middleware keeps it
        SUBJECT: partial(setattr, request, "subject"),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(request.body),
        "wsgi.input_terminated": True,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for name, value in request.headers.items():
        key = name.decode("latin-1").upper().replace("-", "_")
        if key == "CONTENT_TYPE":
            environ[key] = value.decode("latin-1")
        elif key not in ("CONTENT_LENGTH", "PROXY") and b"_" not in name:
            environ[f"HTTP_{key}"] = value.decode("latin-1")
    return environ


def application(
    handler: Handler,
    *,
    limits: Limits | None = None,
    refusal: MakeRefusal = refusals.plain,
    trust_request_id: bool = False,
) -> "WSGIApplication":
    """A WSGI application in which a handler answers; it waits for answers that take time.

    The handler sees the path below the place where the application is mounted (PATH_INFO).
    """
    limits = limits or Limits()
    make_id = request_ids.trusting(request_ids.fresh()) if trust_request_id else request_ids.fresh()

    def answer(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        headers = _headers_of(environ)
        request = Request(
            environ["REQUEST_METHOD"],
            _target_of(environ),
            headers,
            peer=environ.get("REMOTE_ADDR", ""),
            id=make_id(headers),
        )
        try:
            request.body = _read(environ, limits.body)
            response = _ask(handler, request, limits.answer_time)
        except RequestRejected as refused:
            reason = refused.refusal
            response = refusal(reason.status, reason.reason, request)
        return _send(request, response, start_response)

    return answer


def _ask(handler: Handler, request: Request, patience: float) -> Response:
    try:
        answer = handler(request)
        if isinstance(answer, Response):
            return answer
        if wait([answer], patience).done:
            return answer.result()
    except Exception as error:  # the boundary between the server and the service
        LOG.exception("%s %s %s could not be answered", request.id, request.method, request.target)
        raise RequestRejected(refusals.CRASHED) from error
    raise RequestRejected(refusals.ANSWER_LATE)


def _send(request: Request, response: Response, start_response: "StartResponse") -> Iterable[bytes]:
    status = response.status
    phrase = HTTPStatus(status).phrase if status in HTTPStatus._value2member_map_ else ""
    headers: _Headers = []
    if status not in _BODILESS:
        headers.append(("Content-Type", response.content_type.decode("latin-1")))
        headers.append(("Content-Length", str(len(response.body))))
    headers.append(("X-OpenStack-Request-Id", request.id))
    headers += [
        (name.decode("latin-1"), value.decode("latin-1")) for name, value in response.headers
    ]
    start_response(f"{status} {phrase}", headers)
    return [] if request.method == "HEAD" or status in _BODILESS else [response.body]


def _target_of(environ: "WSGIEnvironment") -> str:
    path = quote(environ.get("PATH_INFO", "").encode("latin-1"), safe="/:@!$&'()*+,;=~-._")
    query = environ.get("QUERY_STRING", "")
    return f"{path or '/'}?{query}" if query else path or "/"


def _headers_of(environ: "WSGIEnvironment") -> dict[bytes, bytes]:
    headers = {
        key[5:].replace("_", "-").lower().encode(): str(value).encode("latin-1")
        for key, value in environ.items()
        if key.startswith("HTTP_")
    }
    for key in ("CONTENT_TYPE", "CONTENT_LENGTH"):
        if environ.get(key):
            headers[key.replace("_", "-").lower().encode()] = environ[key].encode("latin-1")
    return headers


def _read(environ: "WSGIEnvironment", most: int) -> bytes:
    length = environ.get("CONTENT_LENGTH") or "0"
    if not (length.isascii() and length.isdigit()):
        raise RequestRejected(Rejection("malformed", 400, "Content-Length is not a number."))
    if int(length) > most:
        raise RequestRejected(refusals.BODY_LARGE)
    chunked = int(length) == 0 and environ.get("wsgi.input_terminated", False)
    body: bytes = environ["wsgi.input"].read(most + 1 if chunked else int(length))
    if len(body) > most:
        raise RequestRejected(refusals.BODY_LARGE)
    if len(body) < int(length):
        raise RequestRejected(refusals.CUT_SHORT)
    return body
