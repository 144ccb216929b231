"""One question to one target."""

from collections.abc import Callable
from contextlib import closing
from urllib.parse import urlsplit

import requests
from keystoneauth1.session import Session
from msgspec import Struct

from firstlight.concurrency.deadline import Deadline
from firstlight.instance import Answer, State
from firstlight.openstack.cancellable import CancellableSocket
from firstlight.vendordata_client.cache.freshness import CacheLifetime, cache_lifetime, says_nothing
from firstlight.vendordata_client.calls import reply as replies
from firstlight.vendordata_client.calls.content_coding import (
    ACCEPTED,
    Decoder,
    TooLarge,
    Undecodable,
)
from firstlight.vendordata_client.calls.credentials import Credentials, Headers
from firstlight.vendordata_client.calls.failure import (
    CALL_ERRORS,
    CallFailed,
    Kind,
    kind_of,
    reason,
    timed_out,
)
from firstlight.vendordata_client.calls.reply import TargetResponse
from firstlight.vendordata_client.calls.request import HEADERS, USER_AGENT
from firstlight.vendordata_client.policy import CallPolicy
from firstlight.vendordata_client.targets import Target

# keystoneauth's: its _REDIRECT_STATUSES and _DEFAULT_REDIRECT_LIMIT, which Nova leaves alone.
_REDIRECTS = frozenset((301, 302, 303, 305, 307, 308))
_HOPS = 30
_BODILESS = frozenset((204, 304))  # whatever length they declare (RFC 9112, 6.3)
# A read that the deadline ends is ended by those who wait, and reported as late; the socket's own
# timeout comes this much after.
_SLACK = 0.1
_CHUNK = 4 * 1024  # bytes of a body that are read, and decoded, at a time


class CallResult(Struct, frozen=True, kw_only=True):
    """What came of a call."""

    answer: Answer
    told: CacheLifetime = CacheLifetime(keep=False)
    length: int = 0  # bytes of the body
    unchanged: bool = False  # 304: what is kept is what it says; `answer` is empty
    silent: bool = False  # of a 304: it says nothing new about being kept
    kind: Kind | None = None  # what went wrong
    status: int | None = None  # of the last response, if there was one


class TargetCall:
    """One question to one target, asked by :meth:`answer` on a thread that :meth:`cut` can free."""

    def __init__(
        self,
        target: Target,
        body: bytes,
        *,
        etag: str | None,
        session: Session,
        credentials: Credentials,
        settings: CallPolicy,
        deadline: Deadline,
        clock: Callable[[], float],
    ) -> None:
        self.target = target
        self._body = body
        self._etag = etag  # of what is kept
        self._session = session
        self._credentials = credentials
        self._settings = settings
        self._deadline = deadline
        self._clock = clock
        self._leash = CancellableSocket()

    def told(self) -> CallResult:
        """What the target said; a failure is an answer too."""
        try:
            return self._understood(self._asked())
        except CallFailed as failure:
            return failed(str(failure), failure.kind, self._clock())
        except CALL_ERRORS as error:
            return failed(self._why(error), kind_of(error), self._clock())

    def cut(self) -> None:
        """Nobody waits any more: end the call. Any thread may call it, at any time."""
        self._leash.cut()

    def _understood(self, reply: TargetResponse) -> CallResult:
        now = self._clock()
        answer = replies.answer(reply, now)
        if answer.state is State.FAILED:
            kind = Kind.STATUS if reply.status >= 400 else Kind.NOT_JSON
            return CallResult(answer=answer, kind=kind, status=reply.status)
        return CallResult(
            answer=answer,
            told=cache_lifetime(reply.headers, now),
            length=len(reply.body),
            unchanged=reply.status == 304 and self._etag is not None,
            silent=says_nothing(reply.headers),
            status=reply.status,
        )

    def _asked(self) -> TargetResponse:
        credentials = self._credentials.headers(self._deadline)
        reply = self._followed(credentials)
        if reply.status != 401 or not reply.trusted:
            return reply
        renewed = self._credentials.renewed(credentials, self._deadline)
        return reply if renewed is None else self._followed(renewed)

    def _followed(self, credentials: Headers) -> TargetResponse:
        """POST, and POST again wherever a redirect leads, whatever its kind.

        The token is the target's: from the first other origin on it is not shown any more.
        """
        url, trusted = self.target.url, True
        for _ in range(_HOPS + 1):
            reply = self._post(url, credentials if trusted else {}, trusted=trusted)
            if reply.location is None:
                return reply
            _check_redirect(url, reply.location)
            trusted = trusted and _origin(reply.location) == _origin(self.target.url)
            url = reply.location
        raise CallFailed(f"redirects more than {_HOPS} times", Kind.REDIRECT)

    def _post(self, url: str, credentials: Headers, *, trusted: bool) -> TargetResponse:
        left = self._deadline.left()
        if not left:
            raise CallFailed(f"did not answer within {self._deadline}", Kind.TIMEOUT)
        with self._leash.attached():
            response = self._session.request(
                url,
                "POST",
                data=self._body,
                headers={
                    **HEADERS,
                    "Accept-Encoding": ACCEPTED,
                    **self._condition(),
                    **credentials,
                },
                user_agent=USER_AGENT,
                authenticated=False,  # the token is in `credentials`
                redirect=False,
                raise_exc=False,
                log=False,  # would write user data and the answer at debug level
                verify=self._verify(),
                cert=self._settings.certificate or self._session.cert,
                timeout=(
                    min(self._settings.connect_timeout, left + _SLACK),
                    min(self._settings.read_timeout, left + _SLACK),
                ),
                stream=True,
            )
            with closing(response):
                return self._read(response, trusted=trusted)

    def _condition(self) -> Headers:
        return {} if self._etag is None else {"If-None-Match": self._etag}

    def _verify(self) -> bool | str:
        """By the target's own URL, also for where it redirects to: as Nova does."""
        if urlsplit(self.target.url).scheme != "https":
            return False
        return self._settings.ca_file or True

    def _read(self, response: requests.Response, *, trusted: bool) -> TargetResponse:
        location = response.headers.get("Location")
        if response.status_code >= 400:
            return TargetResponse(status=response.status_code, trusted=trusted)
        if response.status_code in _REDIRECTS and location is not None:
            return TargetResponse(status=response.status_code, location=location)
        return TargetResponse(
            status=response.status_code,
            body=self._content(response),
            content_type=response.headers.get("Content-Type"),
            charset=response.encoding,
            headers=response.headers,
        )

    def _content(self, response: requests.Response) -> bytes:
        declared = _declared_length(response)
        if declared > self._settings.max_bytes:
            raise self._too_big()
        try:
            decoder = Decoder(
                response.headers.get("Content-Encoding", ""), self._settings.max_bytes
            )
            while chunk := response.raw.read(_CHUNK, decode_content=False):
                decoder.feed(chunk)
        except TooLarge:
            raise self._too_big() from None
        except Undecodable as error:
            raise CallFailed(f"cannot be decoded: {error}", Kind.BROKEN) from error
        if response.raw.tell() < declared:  # urllib3 before 2.0 does not mind
            raise CallFailed(f"ended after {response.raw.tell()} of {declared} bytes", Kind.BROKEN)
        return decoder.content()

    def _too_big(self) -> CallFailed:
        return CallFailed(
            f"answered with more than {self._settings.max_bytes} bytes", Kind.TOO_LARGE
        )

    def _why(self, error: Exception) -> str:
        match timed_out(error):
            case "connect":
                limit = self._settings.connect_timeout
                return f"did not accept a connection within {limit:g} s"
            case "read":
                return f"sent nothing for {self._settings.read_timeout:g} s"
        return reason(error)


def failed(why: str, kind: Kind, now: float) -> CallResult:
    """A call that failed, or was not made."""
    return CallResult(answer=replies.failed(why, now), kind=kind)


def _check_redirect(url: str, location: str) -> None:
    there = urlsplit(location)
    if not there.netloc:
        raise CallFailed("redirects to a relative Location; it must be absolute", Kind.REDIRECT)
    if urlsplit(url).scheme == "https" and there.scheme != "https":
        raise CallFailed(
            f"redirects from https to {there.scheme or 'nothing'}; that is not followed",
            Kind.REDIRECT,
        )


def _origin(url: str) -> tuple[str, str | None, int | None]:
    """Who is spoken to: scheme, host and port (RFC 6454)."""
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)


def _declared_length(response: requests.Response) -> int:
    """Bytes that the response says will follow; 0: none, or it does not say."""
    declared = response.headers.get("Content-Length", "")
    if response.status_code in _BODILESS or not declared.isdecimal():
        return 0
    return int(declared)
