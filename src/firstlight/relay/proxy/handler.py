"""What guests in the namespaces reach: fairness first, then whoever answers.

That is our agent in this process, or an agent of Neutron's at its unix socket, to which a request
goes as Neutron's haproxy sends it (metadata-proxy §3.3).
"""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import Future

from firstlight.concurrency.futures import later
from firstlight.concurrency.throttle import LogThrottle, ThrottledLog
from firstlight.httpd.protocol.messages import Handler, Request, Response
from firstlight.httpd.server import Server
from firstlight.relay import responses
from firstlight.relay.contract import Guest
from firstlight.relay.proxy.rate_limit import RateLimit
from firstlight.relay.request_origin import UnknownOrigin, guest_of
from firstlight.relay.upstream.balancer import Balancer
from firstlight.relay.upstream.client import UpstreamFailure, UpstreamRequest

LOG = logging.getLogger(__name__)

# What an agent may see of the guest's header fields; none of Neutron's looks at any other. A list
# of what it may not see would have to know every way of writing a name (X_Neutron_Network_ID).
_PASSED_ON = (b"accept", b"accept-encoding", b"content-type", b"user-agent")


class ProxyHandler:
    """Its `handle` is the handler of the listeners in the namespaces."""

    def __init__(self, fairness: RateLimit, answer: Handler) -> None:
        self._fairness = fairness
        self._answer = answer

    def handle(self, request: Request) -> "Response | Future[Response]":
        """Answer one request, or refuse it because there were too many."""
        try:
            guest = guest_of(request)
        except UnknownOrigin as error:
            return responses.refusal(400, str(error))
        return self._fairness.refusal(guest) or self._answer(request)


class ExternalAgent:
    """Has an agent behind a unix socket answer; its `handle` is a handler.

    Args:
        agent: behind that socket.
        deadline: seconds that a request may take.
        clock: monotonic seconds.
    """

    def __init__(self, agent: Balancer, deadline: float, clock: Callable[[], float]) -> None:
        self._agent = agent
        self._deadline = deadline
        self._log = ThrottledLog(LOG, LogThrottle(most=1, clock=clock))

    async def begin(self, server: Server) -> None:  # noqa: ARG002  the caller's signature
        """Have the connections end with the server; see :meth:`Server.accompany`."""
        self._keeping = asyncio.create_task(self._keep())

    async def _keep(self) -> None:
        try:
            await asyncio.Event().wait()
        finally:  # cancelled, because the server has stopped
            self._agent.close()

    def handle(self, request: Request) -> "Response | Future[Response]":
        """Pass one request on; it comes from a listener that stands for a place."""
        if request.method == "TRACE":
            return responses.refusal(405, "TRACE is not for guests.")
        return later(self._pass_on(request, guest_of(request)))

    async def _pass_on(self, request: Request, guest: Guest) -> Response:
        until = asyncio.get_running_loop().time() + self._deadline
        fields = "".join(f"{line}\r\n" for line in _fields(request, guest))
        try:
            answer = await self._agent.ask(
                UpstreamRequest(request.method, request.target, fields, request.body), until
            )
        except UpstreamFailure as failure:
            # One agent for all guests: that it is away is one piece of news, not one for each.
            self._log.warning(
                "the agent did not answer request %s (%d): %s",
                *(request.id, failure.status, failure),
                of=failure.status,
            )
            answer = responses.failed(failure.status)
        return responses.passed_on(answer)


def _fields(request: Request, guest: Guest) -> list[str]:
    """What goes along: a few fields of the guest's, and those that say who asks."""
    fields = [
        f"{name.decode()}: {request.header(name)}" for name in _PASSED_ON if name in request.headers
    ]
    return [
        *fields,
        f"X-OpenStack-Request-Id: {request.id}",
        f"{guest.place.via.value}: {guest.place.id}",
        f"X-Forwarded-For: {guest.address}",
    ]
