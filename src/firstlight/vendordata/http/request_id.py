"""What is noted of a request before anything else looks at it: when it came, and its id."""

import re
import uuid
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

# Keys of the WSGI environment.
STARTED = "firstlight.started"  # seconds of the clock handed in
REQUEST_ID = "openstack.request_id"  # where oslo's middleware keeps it, and our HTTP server
SUBJECT = (
    "firstlight.subject"  # our HTTP server's: to be called with who is asking, for its access log
)

_HEADER = "X-OpenStack-Request-Id"
_WELL_FORMED = re.compile(r"req-[0-9a-f-]{36}")


def noted(app: "WSGIApplication", clock: Callable[[], float]) -> "WSGIApplication":
    """`app`, with both in its environment. The time that authentication takes counts as well.

    A server that has given the request an id also answers with it; else that is done here.
    """

    def note(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        environ[STARTED] = clock()
        if REQUEST_ID in environ:
            return app(environ, start_response)
        environ[REQUEST_ID] = _request_id(environ.get("HTTP_X_OPENSTACK_REQUEST_ID", ""))
        return app(environ, _answering_with(environ[REQUEST_ID], start_response))

    return note


def _request_id(sent: str) -> str:
    """The caller's, if it is one: whoever asked us wrote the same id into its own log."""
    return sent if _WELL_FORMED.fullmatch(sent) else f"req-{uuid.uuid4()}"


def _answering_with(request_id: str, start_response: "StartResponse") -> "StartResponse":
    def start(status: str, headers: list[tuple[str, str]], *exc_info: Any) -> Any:
        return start_response(status, [*headers, (_HEADER, request_id)], *exc_info)

    return start
