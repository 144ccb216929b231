"""Several metadata services in turn; those that do not answer are left out for a while."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress

from firstlight.httpd.server import Server
from firstlight.relay.upstream.client import (
    ConnectionRefused,
    UpstreamClient,
    UpstreamFailure,
    UpstreamRequest,
    UpstreamReset,
)
from firstlight.relay.upstream.connection import UpstreamAnswer

# Seconds: between two looks at one that does not answer, and after which one that nobody has asked
# is asked by us. A thousand idle hosts are then some thirty requests a second for the services.
_PROBE = 5.0
_QUIET = 30.0
_ANYBODY = UpstreamRequest("GET", "/", "")  # the list of versions, which needs no signature


class Balancer:
    """Asks one of several :class:`UpstreamClient`, and another if that one cannot be asked.

    Args:
        probe: seconds between two looks at those that do not answer.
        quiet: seconds after which one that no guest has asked is asked, to know how it is.
    """

    def __init__(
        self, upstreams: Sequence[UpstreamClient], *, probe: float = _PROBE, quiet: float = _QUIET
    ) -> None:
        self.all = tuple(upstreams)
        self._pause = probe
        self._quiet = quiet
        self._next = 0

    async def begin(self, server: Server) -> None:  # noqa: ARG002  the caller's signature
        """Have the connections end with the server; see :meth:`Server.accompany`."""
        self._keeping = asyncio.create_task(self._keep())

    async def ask(self, question: UpstreamRequest, until: float) -> UpstreamAnswer:
        """A response, by `until` (of the loop's clock).

        Raises:
            UpstreamFailure: nobody could be asked, or the one that was has not answered.
        """
        failure: UpstreamFailure = ConnectionRefused("there is no upstream")
        for upstream in self._in_turn():
            try:
                return await upstream.ask(question, until)
            except UpstreamFailure as failed:
                failure = failed
                if failed.sent and not (isinstance(failed, UpstreamReset) and question.repeatable):
                    break
        raise failure

    def trouble(self) -> str | None:
        """What is wrong if none of them can be asked; None: at least one can."""
        troubles = [upstream.trouble() for upstream in self.all]
        if None in troubles:
            return None
        each = zip(self.all, troubles, strict=True)
        return "; ".join(f"{upstream.address}: {trouble}" for upstream, trouble in each)

    def close(self) -> None:
        """Let go of idle connections."""
        for upstream in self.all:
            upstream.close()

    async def _keep(self) -> None:
        """Ask those that no guest has shown to answer, so that what is said of them is true."""
        try:
            while True:
                await asyncio.gather(*(self._probe(one) for one in self.all))
                await asyncio.sleep(self._pause)
        finally:  # cancelled, because the server has stopped
            self.close()

    async def _probe(self, upstream: UpstreamClient) -> None:
        now = asyncio.get_running_loop().time()
        lately = upstream.asked and now < upstream.asked_at + self._quiet
        if lately and upstream.trouble() is None:
            return
        until = now + _PROBE
        with suppress(UpstreamFailure):  # it remembers that
            await upstream.ask(_ANYBODY, until)

    def _in_turn(self) -> Sequence[UpstreamClient]:
        """Those that answer, each time another first; then those that may again, soonest first."""
        if len(self.all) == 1:
            return self.all
        self._next = (self._next + 1) % len(self.all)
        turned = self.all[self._next :] + self.all[: self._next]
        now = asyncio.get_running_loop().time()
        here = [upstream for upstream in turned if upstream.away_until <= now]
        away = [upstream for upstream in turned if upstream.away_until > now]
        return here + sorted(away, key=lambda upstream: upstream.away_until)
