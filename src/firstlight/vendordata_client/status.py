"""What can be told, to an operator, of one target and one instance; never what the target said."""

from collections import OrderedDict

from msgspec import Struct

from firstlight.concurrency.circuit_breaker import BreakerEffect
from firstlight.vendordata_client.calls.failure import Kind

_MOST = 1000  # instances of which the last failure is remembered


class FailedCall(Struct, frozen=True, kw_only=True):
    """A call that failed."""

    when: float  # seconds since the epoch
    kind: Kind
    reason: str


class RecentFailures:
    """The last failure for each of the instances that had one most recently."""

    def __init__(self) -> None:
        self._last: OrderedDict[str, FailedCall] = OrderedDict()

    def add(self, uuid: str, failure: FailedCall) -> None:
        """It takes the place of an earlier one."""
        self._last[uuid] = failure
        self._last.move_to_end(uuid)
        if len(self._last) > _MOST:
            self._last.popitem(last=False)

    def get(self, uuid: str) -> FailedCall | None:
        """None: none that is remembered."""
        return self._last.get(uuid)


class TargetStatus(Struct, frozen=True, kw_only=True):
    """A target, and how things stand with one instance. Times are seconds since the epoch."""

    target: str
    url: str  # without what may be secret
    required: bool
    breaker: BreakerEffect
    retry_in: float | None = None  # seconds; None: it is asked
    state: str | None = None  # of the answer that is kept; None: none is
    fetched: float | None = None
    fresh: bool = False  # it would be given without asking
    stands_in: float | None = None  # seconds for which it would still stand in for a failure
    asking: bool = False  # a question about this instance is under way
    failure: FailedCall | None = None  # the last one for this instance
