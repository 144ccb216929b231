"""Now or later: an answer that is ready is a response, one that is not is a future of it.

Whatever goes wrong on the way is answered here, once, whether it happens on the event loop or on a
pool's thread.
"""

import logging
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

from firstlight.concurrency.throttle import ThrottledLog
from firstlight.concurrency.workers import Overloaded
from firstlight.httpd.protocol.messages import Request, Response
from firstlight.metadata.http_errors import UNKNOWN_ERROR, HttpError, try_later
from firstlight.sources import SourceUnavailable
from firstlight.sources.nova import BadTemplate
from firstlight.vendordata_client import StaticUnavailable

LOG = ThrottledLog(logging.getLogger(__name__))  # guests cause what is said

T = TypeVar("T")

Reply = Response | Future[Response]

_AWAY = "The instance's data cannot be read at the moment. Please try your request again."
_BUSY = "Too many requests are waiting. Please try your request again."


def answered(request: Request, work: Callable[[], Reply]) -> Reply:
    """What `work` replies, or the response to what it raises."""
    try:
        return work()
    except HttpError as refusal:
        return refusal.response(request)
    except (BadTemplate, StaticUnavailable) as error:  # the operator's file: Nova's status
        LOG.error("%s: 500 for %s of %s", error, request.id, request.subject)  # noqa: TRY400  the sentence says it all, a traceback nothing
        return HttpError(500, UNKNOWN_ERROR).response(request)
    except SourceUnavailable as error:
        LOG.error("%s: 503 for %s of %s", error, request.id, request.subject)  # noqa: TRY400  the sentence says it all, a traceback nothing
        return try_later(_AWAY).response(request)
    except Overloaded as error:
        LOG.warning("%s: 503 for %s of %s", error, request.id, request.subject)
        return try_later(_BUSY).response(request)
    except Exception as error:  # the one catch-all: whatever it is, the guest gets Nova's sentence
        text = "request %s of %s failed"
        LOG.error(text, request.id, request.subject, exc_info=error)  # noqa: TRY400  said as exc_info
        return HttpError(500, UNKNOWN_ERROR).response(request)


def after(value: "Future[T]", request: Request, go_on: Callable[[T], Reply]) -> "Future[Response]":
    """Go on with what `value` will hold, on the thread that fulfils it."""
    response: Future[Response] = Future()
    response.set_running_or_notify_cancel()  # whoever stops waiting must not stop us from answering

    def settle(reply: Reply) -> None:
        if isinstance(reply, Response):
            response.set_result(reply)
        else:
            reply.add_done_callback(lambda done: settle(answered(request, done.result)))

    value.add_done_callback(lambda done: settle(answered(request, lambda: go_on(done.result()))))
    return response


def now_or_after(value: "T | Future[T]", request: Request, go_on: Callable[[T], Reply]) -> Reply:
    """Go on with `value` at once, or once it is there."""
    return after(value, request, go_on) if isinstance(value, Future) else go_on(value)
