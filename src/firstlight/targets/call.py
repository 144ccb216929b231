"""One question to one target."""

from collections.abc import Callable
from contextlib import closing
from urllib.parse import urlsplit

import requests
from keystoneauth1.session import Session
from msgspec import Struct

from firstlight.instance import Answer
from firstlight.targets import reply as replies
from firstlight.targets.credentials import Credentials, Headers
from firstlight.targets.deadline import Deadline
from firstlight.targets.failure import CALL_ERRORS, CallFailed, reason, timed_out
from firstlight.targets.reply import Reply
from firstlight.targets.request import HEADERS, USER_AGENT
from firstlight.targets.targets import Target
from firstlight.targets.transport import Leash

# keystoneauth's: its _REDIRECT_STATUSES and _DEFAULT_REDIRECT_LIMIT, which Nova leaves alone.
_REDIRECTS = frozenset((301, 302, 303, 305, 307, 308))
_HOPS = 30
_BODILESS = frozenset((204, 304))  # whatever length they declare (RFC 9112, 6.3)
# A read that the deadline ends is ended by those who wait, and reported as late; the socket's own
# timeout comes this much after.
_SLACK = 0.1
# Small, because a compressed chunk can hold a thousand times as much.
_CHUNK = 16 * 1024


class Settings(Struct, frozen=True, kw_only=True):
    """How targets are called.

    Raises:
        ValueError: a timeout is not positive. Nova takes a `read_timeout` of 0 and then fails each
            call; here the start fails instead, because a guest would never see a target's data.
    """

    connect_timeout: float = 5.0  # seconds
    read_timeout: float = 5.0  # seconds until the next byte
    ca_file: str | None = None  # for https; None: the system's
    max_bytes: int = 1024 * 1024  # of an answer, decompressed
    in_flight: int = 16  # requests to one target at a time

    def __post_init__(self) -> None:
        for name in ("connect_timeout", "read_timeout"):
            if getattr(self, name) <= 0:
                raise ValueError(
                    f"[api] vendordata_dynamic_{name} is {getattr(self, name):g}, with which every "
                    "call to a target fails; set it to seconds above 0 (the default is 5)"
                )


class Call:
    """One question to one target, asked by :meth:`answer` on a thread that :meth:`cut` can free."""

    def __init__(
        self,
        target: Target,
        body: bytes,
        *,
        session: Session,
        credentials: Credentials,
        settings: Settings,
        deadline: Deadline,
        clock: Callable[[], float],
    ) -> None:
        self.target = target
        self._body = body
        self._session = session
        self._credentials = credentials
        self._settings = settings
        self._deadline = deadline
        self._clock = clock
        self._leash = Leash()

    def answer(self) -> Answer:
        """What the target said; a failure is an answer too."""
        try:
            return replies.answer(self._asked(), self._clock())
        except CallFailed as failure:
            return replies.failed(str(failure), self._clock())
        except CALL_ERRORS as error:
            return replies.failed(self._why(error), self._clock())

    def cut(self) -> None:
        """Nobody waits any more: end the call. Any thread may call it, at any time."""
        self._leash.cut()

    def _asked(self) -> Reply:
        credentials = self._credentials.headers(self._deadline)
        reply = self._followed(credentials)
        if reply.status != 401:
            return reply
        renewed = self._credentials.renewed(credentials, self._deadline)
        return reply if renewed is None else self._followed(renewed)

    def _followed(self, credentials: Headers) -> Reply:
        """POST, and POST again wherever a redirect leads, whatever its kind."""
        reply = self._post(self.target.url, credentials)
        for _ in range(_HOPS):
            if reply.location is None:
                return reply
            if not urlsplit(reply.location).netloc:
                raise CallFailed("redirects to a relative Location; it must be absolute")
            reply = self._post(reply.location, credentials)
        raise CallFailed(f"redirects more than {_HOPS} times")

    def _post(self, url: str, credentials: Headers) -> Reply:
        left = self._deadline.left()
        if not left:
            raise CallFailed(f"did not answer within {self._deadline}")
        with self._leash.attached():
            response = self._session.request(
                url,
                "POST",
                data=self._body,
                headers={**HEADERS, **credentials},
                user_agent=USER_AGENT,
                authenticated=False,  # the token is in `credentials`
                redirect=False,
                raise_exc=False,
                log=False,  # would write user data and the answer at debug level
                verify=self._verify(),
                timeout=(
                    min(self._settings.connect_timeout, left + _SLACK),
                    min(self._settings.read_timeout, left + _SLACK),
                ),
                stream=True,
            )
            with closing(response):
                return self._read(response)

    def _verify(self) -> bool | str:
        """By the target's own URL, also for where it redirects to: as Nova does."""
        if urlsplit(self.target.url).scheme != "https":
            return False
        return self._settings.ca_file or True

    def _read(self, response: requests.Response) -> Reply:
        location = response.headers.get("Location")
        if response.status_code >= 400:
            return Reply(status=response.status_code)
        if response.status_code in _REDIRECTS and location is not None:
            return Reply(status=response.status_code, location=location)
        return Reply(
            status=response.status_code,
            body=self._content(response),
            content_type=response.headers.get("Content-Type"),
            charset=response.encoding,
        )

    def _content(self, response: requests.Response) -> bytes:
        declared = _declared_length(response)
        if declared > self._settings.max_bytes:
            raise self._too_big()
        content = bytearray()
        for chunk in response.iter_content(_CHUNK):
            content += chunk
            if len(content) > self._settings.max_bytes:
                raise self._too_big()
        if response.raw.tell() < declared:  # urllib3 before 2.0 does not mind
            raise CallFailed(f"ended after {response.raw.tell()} of {declared} bytes")
        return bytes(content)

    def _too_big(self) -> CallFailed:
        return CallFailed(f"answered with more than {self._settings.max_bytes} bytes")

    def _why(self, error: Exception) -> str:
        match timed_out(error):
            case "connect":
                limit = self._settings.connect_timeout
                return f"did not accept a connection within {limit:g} s"
            case "read":
                return f"sent nothing for {self._settings.read_timeout:g} s"
        return reason(error)


def _declared_length(response: requests.Response) -> int:
    """Bytes that the response says will follow; 0: none, or it does not say."""
    declared = response.headers.get("Content-Length", "")
    if response.status_code in _BODILESS or not declared.isdecimal():
        return 0
    return int(declared)
