"""What happened, counted in plain integers: cheap enough for every request.

The event loop writes, a scrape reads; a scrape in the middle of a request sees it in one number
and not yet in another, which no monitoring minds.
"""

from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass, field

# Seconds; hot answers fall into the first three, a guest's cloud-init gives up after the last.
BUCKETS = (0.0001, 0.00025, 0.001, 0.005, 0.025, 0.1, 0.5, 1.0, 2.5, 5.0, 10.0)


class Counts:
    """One listener's numbers."""

    __slots__ = ("accepted", "buckets", "in_flight", "open", "refused", "seconds", "statuses")

    def __init__(self) -> None:
        self.statuses: dict[int, int] = {}
        self.buckets = [0] * (len(BUCKETS) + 1)  # one each, and one for what took longer
        self.seconds = 0.0  # of all requests together
        self.in_flight = 0  # requests whose answer is being looked up
        self.accepted = 0  # connections so far
        self.open = 0  # connections now
        self.refused: Counter[str] = Counter()  # by the name of the refusal

    def answered(self, status: int, seconds: float) -> None:
        """Count one response."""
        statuses = self.statuses
        statuses[status] = statuses.get(status, 0) + 1
        self.buckets[bisect_left(BUCKETS, seconds)] += 1
        self.seconds += seconds


@dataclass
class Counters:
    """The numbers of each listener of a server, by its name."""

    listeners: dict[str, Counts] = field(default_factory=dict)

    def of(self, listener: str) -> Counts:
        """The numbers of this listener; made on first use."""
        return self.listeners.setdefault(listener, Counts())
