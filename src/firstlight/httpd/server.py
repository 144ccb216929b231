"""The server: its listeners, its clock, its end."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from time import monotonic

from firstlight.httpd.acceptor import Acceptor
from firstlight.httpd.body_budget import BodyBudget
from firstlight.httpd.deferred_work import DeferredWork
from firstlight.httpd.limits import Limits
from firstlight.httpd.listener import Listener
from firstlight.httpd.monitoring.counters import Counters
from firstlight.httpd.protocol import refusals, request_ids
from firstlight.httpd.protocol.messages import Observer
from firstlight.httpd.protocol.refusals import MakeRefusal

LOG = logging.getLogger(__name__)

Companion = Callable[["Server"], Awaitable[None]]


class Server:
    """Serves `listeners` on the running event loop until it is stopped.

    `observe` is called once with each listener's name; what it returns is called after each
    response. `refusal` makes the responses to what the server refuses by itself.
    """

    def __init__(
        self,
        listeners: Iterable[Listener],
        *,
        limits: Limits | None = None,
        observe: Callable[[str], Observer] | None = None,
        refusal: MakeRefusal = refusals.plain,
        counters: Counters | None = None,
    ) -> None:
        self.counters = counters or Counters()
        self._limits = limits or Limits()
        self._observe = observe
        self._refusal = refusal
        self._make_id = request_ids.fresh()
        self._turns = DeferredWork()
        self._bodies = BodyBudget(max(self._limits.bodies, self._limits.body))
        self._stopping = asyncio.Event()
        self._acceptors: dict[str, Acceptor] = {}
        self._companions: list[Companion] = []
        for listener in listeners:
            self._admit(listener)

    async def serve(self, ready: Callable[[], None] = lambda: None) -> None:
        """Serve until :meth:`stop`; `ready` is called once every listener accepts.

        Returns when what was in flight has been answered, or `Limits.drain_time` has passed.
        """
        for acceptor in self._acceptors.values():
            await acceptor.open()
        sweeper = asyncio.create_task(self._sweep())
        for begin in self._companions:
            await begin(self)
        ready()
        await self._stopping.wait()
        await self._drain()
        sweeper.cancel()

    def accompany(self, begin: Companion) -> None:
        """Have `begin` called when it serves, before it is ready.

        It may start tasks on the event loop, which end when the server has stopped.
        """
        self._companions.append(begin)

    def stop(self) -> None:
        """Accept no more, answer what has been asked, end. To be called on the event loop."""
        self._stopping.set()

    @property
    def stopping(self) -> bool:
        """Whether it was told to stop."""
        return self._stopping.is_set()

    async def add(self, listener: Listener) -> None:
        """Serve one listener more."""
        await self._admit(listener).open()

    async def remove(self, name: str) -> None:
        """Accept no more there; what has been asked is answered, what does not end is ended."""
        acceptor = self._acceptors[name]
        await acceptor.close()
        acceptor.drain()
        await self._emptied([acceptor])
        del self._acceptors[name]

    def _admit(self, listener: Listener) -> Acceptor:
        if listener.name in self._acceptors:
            raise ValueError(f"two listeners are named {listener.name}")
        acceptor = self._acceptors[listener.name] = Acceptor(
            listener,
            limits=listener.limits or self._limits,
            make_id=self._make_id,
            refusal=self._refusal,
            observe=None if self._observe is None else self._observe(listener.name),
            counts=self.counters.of(listener.counted_as or listener.name),
            turns=self._turns,
            bodies=self._bodies,
        )
        return acceptor

    async def _sweep(self) -> None:
        """One timer for every deadline: a timer for each request would cost more than it."""
        while True:
            await asyncio.sleep(self._limits.sweep)
            now = monotonic()
            for acceptor in tuple(self._acceptors.values()):
                try:
                    await acceptor.sweep(now)
                except Exception:  # one listener must not stop the clock of all
                    LOG.exception("a listener could not be looked after")

    async def _drain(self) -> None:
        acceptors = list(self._acceptors.values())
        await asyncio.gather(*(acceptor.close() for acceptor in acceptors))
        for acceptor in acceptors:
            acceptor.drain()
        await self._emptied(acceptors)

    async def _emptied(self, acceptors: list[Acceptor]) -> None:
        until = monotonic() + self._limits.drain_time
        while any(acceptor.connections for acceptor in acceptors):
            if monotonic() > until:
                left = sum(len(acceptor.connections) for acceptor in acceptors)
                LOG.warning("%d connections did not end in time and are cut off", left)
                for acceptor in acceptors:
                    acceptor.abort()
                until += 1.0
            await asyncio.sleep(0.01)
