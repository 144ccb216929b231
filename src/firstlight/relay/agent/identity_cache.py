"""Which server asks: remembered for a few seconds, asked once for all requests, never guessed.

What is wrong here hands one tenant's data to another. So what was found is used again only while
the kernel sends its replies to a MAC of that same server (its neighbour table, looked at once for
each connection); otherwise the resolver is asked afresh. Where that table cannot be seen, behind
haproxy, what was found counts for one second. Past its time it counts only while the resolver
cannot be asked and the table shows the MAC.
"""

import time
from collections.abc import Callable
from concurrent.futures import Future
from ipaddress import IPv4Address
from threading import Lock
from typing import NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from firstlight.httpd.protocol.messages import KeptConnection
from firstlight.relay.contract import Found, Guest, Origin, Resolution, Resolver, Unavailable, Via
from firstlight.relay.resolvers.batching import ResolverBatches
from firstlight.relay.resolvers.guarded import Guarded

# Called with a guest and the index of the interface that the reply leaves by (0: not known);
# see :meth:`firstlight.relay.proxy.neighbours.Neighbours.look`.
Look = Callable[[Guest, int], str | None]

_THREADS = 2  # so that one question that hangs is not the end of all
_WINDOW = 0.002  # seconds; a boot's first requests come within it
_LONG = 0.1  # seconds; Neutron takes 10 to 30 ms for a few guests
_BATCH = 100
_WAITING = 10_000
# Seconds. What was looked up so lately is not looked up again, however often a guest asks for
# something that the metadata service does not have.
_JUST_NOW = 1.0
# Asked about to see whether the resolver answers: no network has this id, and no guest is there.
_PROBED = Guest(
    Origin(Via.NETWORK, "00000000-0000-0000-0000-000000000000"), IPv4Address("192.0.2.1")
)
#: Seconds for which an identity counts where no neighbour table can confirm it.
UNCONFIRMED_SECONDS = 1.0
# Seconds between two questions to a resolver that is away, on behalf of guests that do not wait.
_PROBE = 1.0


class IdentityLimits(NamedTuple):
    """For how long answers are believed, in seconds, and how many are kept."""

    found: float = 10.0
    nobody: float = 2.0
    stale: float = 86_400.0
    most: int = 100_000


class IdentityCounts(NamedTuple):
    """What happened since the start, and what there is now; for metrics."""

    found: int  # guests that are known
    nobody: int  # addresses that are known to be nobody's, or several ports'
    waiting: int
    asked: int  # guests the resolver was asked about
    refused: int  # guests for whom there was no room to wait
    stale: int  # answers that were given although their time was over
    unconfirmed: int  # times that the neighbour table did not show a MAC of the server


class _Known(Struct, frozen=True, gc=False):
    resolution: Resolution
    began: float
    until: float


class IdentityCache:
    """A resolver's answers, as long as they may be believed. Nothing blocks.

    To be used on one thread; only :meth:`counts` and :meth:`trouble` may be called on others.

    Args:
        resolver: closed with this.
        terms: how long that is.
        look: see :data:`Look`; None: no neighbour table can be seen.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        resolver: Resolver,
        terms: IdentityLimits | None = None,
        *,
        look: Look | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._resolver = resolver = Guarded(resolver)
        self._terms = terms or IdentityLimits()
        self._look = look
        self._clock = clock
        # Apart, because strangers can make up any number of addresses that are nobody's.
        self._found: dict[Guest, _Known] = {}
        self._nobody: dict[Guest, _Known] = {}
        self._lock = Lock()  # of these two, which the resolver's threads fill
        self._stale = 0
        self._unconfirmed = 0
        self._probe_due = 0.0
        self._batches = ResolverBatches(
            resolver,
            self._landed,
            threads=_THREADS,
            most=_BATCH,
            waiting=_WAITING,
            window=_WINDOW,
            long=_LONG,
            clock=clock,
        )

    def peek(self, guest: Guest) -> Resolution | None:
        """What was found lately, unconfirmed: good enough to count requests by, and no more."""
        known = self._found.get(guest) or self._nobody.get(guest)
        return known.resolution if known is not None and self._clock() < known.until else None

    def find(
        self, guest: Guest, connection: KeptConnection | None = None
    ) -> "Resolution | Future[Resolution]":
        """What is known and may be used, or the future of what the resolver says.

        The future cannot be cancelled: others may wait for it.

        Args:
            connection: the one that the guest itself has opened; None: it came through a proxy.
        """
        known = self._found.get(guest) or self._nobody.get(guest)
        if known is None:
            return self._batches.ask(guest, fresh=False)
        now = self._clock()
        if now >= known.until:
            stale = self.stale(guest, connection)
            if stale is None:
                return self._batches.ask(guest, fresh=False)
            self._probe(guest, now)
            return stale
        confirmed = self._confirmed(known, guest, connection)
        if confirmed or (confirmed is None and now < known.began + UNCONFIRMED_SECONDS):
            return known.resolution
        return self._batches.ask(guest, fresh=confirmed is False)

    def again(
        self, guest: Guest, connection: KeptConnection | None = None
    ) -> "Resolution | Future[Resolution]":
        """Find it out anew, because what is known led to an instance that is not there.

        What was looked up in the last second is as new as that, if it may be used.
        """
        known = self._found.get(guest) or self._nobody.get(guest)
        if (
            known is not None
            and self._clock() < min(known.began + _JUST_NOW, known.until)
            and self._confirmed(known, guest, connection) is not False
        ):
            return known.resolution
        return self._batches.ask(guest, fresh=True)

    def stale(self, guest: Guest, connection: KeptConnection | None = None) -> Found | None:
        """What was known, if the resolver cannot be asked and the neighbour table confirms it."""
        known = self._found.get(guest)
        if known is None or self._resolver.trouble() is None:
            return None
        age = self._clock() - known.began
        if age >= self._terms.stale or not self._confirmed(known, guest, connection):
            return None
        assert isinstance(known.resolution, Found)
        self._stale += 1
        return replace(known.resolution, stale=int(age))

    def trouble(self) -> str | None:
        """Why the resolver could not be asked lately, for readiness; None: it could."""
        return self._resolver.trouble()

    def check_resolver(self) -> None:
        """Ask the resolver now, about nobody, so that :meth:`trouble` is true while no guest asks.

        Blocks, as long as the resolver's deadline.
        """
        self._resolver.resolve([_PROBED])

    @property
    def name(self) -> str:
        """The resolver's."""
        return self._resolver.name

    def counts(self) -> IdentityCounts:
        """For metrics."""
        batches = self._batches
        return IdentityCounts(
            found=len(self._found),
            nobody=len(self._nobody),
            waiting=batches.waiting,
            asked=batches.asked,
            refused=batches.refused,
            stale=self._stale,
            unconfirmed=self._unconfirmed,
        )

    def close(self) -> None:
        """Let go of threads and connections."""
        self._batches.close()
        self._resolver.close()

    def _landed(self, guest: Guest, resolution: Resolution, began: float) -> Resolution:
        if not isinstance(resolution, Unavailable):
            self._keep(guest, resolution, began)
        return resolution

    def _keep(self, guest: Guest, resolution: Resolution, began: float) -> None:
        found = isinstance(resolution, Found)
        mine, other = (self._found, self._nobody) if found else (self._nobody, self._found)
        seconds = self._terms.found if found else self._terms.nobody
        with self._lock:
            known = self._found.get(guest) or self._nobody.get(guest)
            if known is not None and known.began > began:
                return  # a later look was quicker
            other.pop(guest, None)
            mine.pop(guest, None)  # so that the oldest look comes first
            if len(mine) >= self._terms.most:
                del mine[next(iter(mine))]
            mine[guest] = _Known(resolution, began, began + seconds)

    def _probe(self, guest: Guest, now: float) -> None:
        """Ask once in a while whether the resolver is back; a guest that is served does not."""
        if now >= self._probe_due:
            self._probe_due = now + _PROBE
            self._batches.ask(guest, fresh=False)

    def _confirmed(
        self, known: _Known, guest: Guest, connection: KeptConnection | None
    ) -> bool | None:
        """Whether the kernel replies to a MAC of that server; None: that cannot be seen from here.

        Looked up at the first request of a connection, and when what is known is another.
        """
        resolution = known.resolution
        if not isinstance(resolution, Found):
            return True  # that a guest is nobody gives nothing away
        if connection is not None and connection.remembered is known:
            return True
        if self._look is None:
            return None
        mac = self._look(guest, 0 if connection is None else connection.scope)
        if mac is None:
            return None
        if not resolution.has_mac(mac):
            self._unconfirmed += 1
            return False
        if connection is not None:
            connection.remembered = known
        return True
