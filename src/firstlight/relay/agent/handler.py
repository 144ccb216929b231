"""A guest's request, recognised, signed and passed on; and what came back, as it came.

What reaches the metadata service of the guest's request is its method, target and body, and its
``User-Agent`` as a hint. Redirects are the guest's to follow: a signature goes nowhere but to the
upstreams that the operator named.
"""

import asyncio
import hashlib
import hmac
import logging
import re
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future
from functools import lru_cache
from typing import Protocol

from firstlight.concurrency.futures import later
from firstlight.concurrency.throttle import LogThrottle, ThrottledLog
from firstlight.httpd.protocol.messages import KeptConnection, Request, Response
from firstlight.relay import responses
from firstlight.relay.contract import (
    Ambiguous,
    Found,
    Guest,
    Nobody,
    Origin,
    Resolution,
    Unavailable,
)
from firstlight.relay.request_origin import UnknownOrigin, guest_of
from firstlight.relay.upstream.balancer import Balancer
from firstlight.relay.upstream.client import UpstreamFailure, UpstreamRequest
from firstlight.relay.upstream.connection import UpstreamAnswer

LOG = logging.getLogger(__name__)

_MAX_AGENT = 256  # characters of a User-Agent that are passed on
_NOT_IN_A_FIELD = re.compile(r"[^\x20-\x7e]")
# The owner of a port may write anything into its device id; what is no word is no instance.
_WORD = re.compile(r"[\x21-\x7e]{1,255}")
_REDIRECT = (
    "the metadata service redirects, and guests cannot follow: name the right upstream;"
    " request %s of instance %s"
)
_REMARKS = dict.fromkeys((301, 302, 303, 307, 308), _REDIRECT) | {
    403: "the metadata service refuses the signature: metadata_proxy_shared_secret here and "
    "[neutron] metadata_proxy_shared_secret there must be the same; request %s of instance %s",
}


class IdentityLookup(Protocol):
    """What tells the agent which server a guest is.

    See :class:`firstlight.relay.agent.identity_cache.IdentityCache`.
    """

    def find(
        self, guest: Guest, connection: KeptConnection | None
    ) -> "Resolution | Future[Resolution]": ...
    def again(
        self, guest: Guest, connection: KeptConnection | None
    ) -> "Resolution | Future[Resolution]": ...
    def stale(self, guest: Guest, connection: KeptConnection | None) -> Found | None: ...


class AgentHandler:
    """Its `handle` is a :data:`~firstlight.httpd.protocol.messages.Handler`, for one event loop.

    Args:
        recognition: who asks.
        upstreams: the metadata services.
        secret: what instance ids are signed with.
        deadline: seconds that a request may take.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        recognition: IdentityLookup,
        upstreams: Balancer,
        *,
        secret: str,
        deadline: float,
        clock: Callable[[], float],
    ) -> None:
        self.outcomes: Counter[str] = Counter()
        self._recognition = recognition
        self._upstreams = upstreams
        self._deadline = deadline
        self._fields = lru_cache(maxsize=4096)(lambda found: _identity(found, secret))
        # Of one guest one line a minute, of all guests some: guests cause what is said.
        self._log = ThrottledLog(LOG, LogThrottle(most=1, clock=clock), LogThrottle(clock=clock))

    def handle(self, request: Request) -> "Response | Future[Response]":
        """Answer one request; it never waits on the event loop."""
        try:
            guest = guest_of(request)
        except UnknownOrigin as error:
            self.outcomes["unplaced"] += 1
            self._log.warning("request %s is refused (400): %s", request.id, error, of=str(error))
            return responses.refusal(400, str(error))
        if request.method == "TRACE":
            # An upstream that knows it would show the guest its own signature.
            return responses.refusal(405, "TRACE is not for guests.")
        return later(self._answer(request, guest))

    async def _answer(self, request: Request, guest: Guest) -> Response:
        until = asyncio.get_running_loop().time() + self._deadline
        # A proxy's connection may carry the requests of several guests.
        connection = request.connection if isinstance(request.listener, Origin) else None
        found = self._recognition.find(guest, connection)
        who = await self._told(found, until)
        if isinstance(who, Unavailable):
            who = self._recognition.stale(guest, connection) or who
        if isinstance(who, Found) and not _names_an_instance(who):
            who = Nobody()
        if not isinstance(who, Found):
            return self._unrecognised(request, guest, who)
        answer = await self._ask(request, guest, who, until)
        if answer.status == 404 and not isinstance(found, Future):
            now = await self._told(self._recognition.again(guest, connection), until)
            if isinstance(now, Nobody | Ambiguous):
                return self._unrecognised(request, guest, now)
            if isinstance(now, Found) and _another(now, who):
                self._log.info(
                    "the address %s now belongs to instance %s",
                    *(_shown(guest), now.instance_id),
                    of=guest,
                )
                answer = await self._ask(request, guest, now, until)
                who = now
        return responses.passed_on(answer, who.stale)

    async def _told(
        self, resolution: "Resolution | Future[Resolution]", until: float
    ) -> Resolution:
        """A resolution; others may wait for the same future, so it is never cancelled."""
        if not isinstance(resolution, Future):
            return resolution
        try:
            async with asyncio.timeout_at(until):
                return await asyncio.shield(asyncio.wrap_future(resolution))
        except TimeoutError:
            return Unavailable("the look-up did not end in time")

    async def _ask(
        self, request: Request, guest: Guest, who: Found, until: float
    ) -> UpstreamAnswer:
        request.subject = who.instance_id
        agent = _NOT_IN_A_FIELD.sub("?", (request.header(b"user-agent") or "")[:_MAX_AGENT])
        fields = (
            f"{self._fields(who)}X-Forwarded-For: {guest.address}\r\n"
            f"X-OpenStack-Request-Id: {request.id}\r\n"
        )
        if agent:
            fields += f"User-Agent: {agent}\r\n"
        question = UpstreamRequest(request.method, request.target, fields, request.body)
        try:
            answer = await self._upstreams.ask(question, until)
        except UpstreamFailure as failure:
            self.outcomes["unanswered"] += 1
            self._log.warning(
                "the metadata service did not answer request %s of instance %s (%d): %s",
                *(request.id, who.instance_id, failure.status, failure),
                of=(who.instance_id, failure.status),
            )
            return responses.failed(failure.status)
        self.outcomes["passed_on"] += 1
        remark = _REMARKS.get(answer.status)
        if remark is not None:
            self._log.warning(remark, request.id, who.instance_id)
        return answer

    def _unrecognised(
        self, request: Request, guest: Guest, who: Nobody | Ambiguous | Unavailable
    ) -> Response:
        request.subject = f"{guest.address}@{guest.place.id}"
        self.outcomes[type(who).__name__.lower()] += 1
        text, *values = _why(guest, who)
        self._log.warning(f"{text}; request %s", *values, request.id, of=guest)
        return responses.unrecognised(who)


def _names_an_instance(found: Found) -> bool:
    return bool(_WORD.fullmatch(found.instance_id) and _WORD.fullmatch(found.project_id))


def _another(now: Found, before: Found) -> bool:
    """Whether the metadata service would be told of another instance than before."""
    who, was = ((each.instance_id, each.project_id) for each in (now, before))
    return who != was and _names_an_instance(now)


def _identity(found: Found, secret: str) -> str:
    """The header lines that say who asks: Nova's three (metadata-proxy §4.5)."""
    signature = hmac.new(secret.encode(), found.instance_id.encode(), hashlib.sha256).hexdigest()
    return (
        f"X-Instance-ID: {found.instance_id}\r\nX-Tenant-ID: {found.project_id}\r\n"
        f"X-Instance-ID-Signature: {signature}\r\n"
    )


def _why(guest: Guest, who: Nobody | Ambiguous | Unavailable) -> tuple[str, ...]:
    """A fixed text and its values."""
    shown = _shown(guest)
    if isinstance(who, Ambiguous):
        return "several ports have %s (404): %s", shown, ", ".join(who.port_ids)
    if isinstance(who, Unavailable):
        return "the port that has %s cannot be looked up (503): %s", shown, who.reason
    return "no port has %s (404)", shown


def _shown(guest: Guest) -> str:
    return f"{guest.address} at {guest.place.via.value}: {guest.place.id}"
