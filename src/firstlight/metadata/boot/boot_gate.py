"""``GET /openstack``: the first thing a guest asks, and the one moment it can be made to wait.

Here the targets are asked ahead, so that the crawl that follows finds their answers. Where some of
them are required and the operator wants it, the guest is held until they have answered; past that
it is sent away, if it is known to come back, or let in.
"""

import logging
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future
from enum import StrEnum

from msgspec import Struct

from firstlight.concurrency.throttle import ThrottledLog
from firstlight.httpd.protocol.messages import Request, Response
from firstlight.instance import Instance
from firstlight.metadata.boot.user_agents import waits_out_503
from firstlight.metadata.boot.watchdog import Watchdog
from firstlight.metadata.deferred import Reply, answered
from firstlight.metadata.http_errors import try_later
from firstlight.metadata.settings import VendorDataProvider
from firstlight.vendordata_client import Answers, Timers

LOG = ThrottledLog(logging.getLogger(__name__))  # guests cause what is said

# A required target that failed is asked again after so many seconds.
_AGAIN = 1.0
# Half of the connections that one listener takes: those who are held leave room for the others.
_HELD = 4096
_SILENT = "the required targets have not answered yet"
_NOT_YET = "The server's vendor data is not ready. Please try your request again."


class HoldPolicy(Struct, frozen=True, kw_only=True):
    """What the operator wants done about required targets that do not answer; nothing by default.

    Args:
        seconds: a guest is held at most, from when it asked.
        retry_after: of the 503 for guests that are known to come back; 0: nobody gets one.
        most: guests that are held at a time.
    """

    seconds: float = 0.0
    retry_after: int = 0
    most: int = _HELD


class HoldOutcome(StrEnum):
    """How a guest that had to wait went on."""

    ANSWERED = "answered"  # the required targets have answered
    SENT_AWAY = "sent-away"  # 503
    LET_IN = "let-in"  # as if nothing were required; its vendor_data2.json will be an error


class BootGate:
    """One for the service.

    Args:
        vendordata: whose targets are asked.
        holding: the operator's wish.
        clock: monotonic seconds.
        alarm: wakes those who are held; it is needed only where somebody may be.
        vigil: is told who had to go on without its data; None: nobody.
    """

    def __init__(
        self,
        vendordata: VendorDataProvider,
        holding: HoldPolicy = HoldPolicy(),  # noqa: B008  (a constant)
        *,
        clock: Callable[[], float],
        alarm: Timers | None = None,
        vigil: Watchdog | None = None,
    ) -> None:
        self.vendordata = vendordata
        self.holding = holding
        self.clock = clock
        self.alarm = alarm
        self.vigil = vigil
        self.held = 0
        self.left: Counter[HoldOutcome] = Counter()
        self._lock = threading.Lock()

    def enter(
        self, request: Request, instance: Instance, arrived: float, give: Callable[[], Response]
    ) -> Reply:
        """What is answered, or a future of it: `give()`, or a 503.

        `arrived` is when the request did; looking the instance up has taken some of its time.
        """
        if self.alarm is None or not self.vendordata.required:
            self.vendordata.begin(instance, ahead=True)
            return give()
        required = self.vendordata.begin(instance, only=self.vendordata.required, ahead=True)
        self.vendordata.begin(instance, ahead=True)  # the others: nobody waits for them here
        why = self.vendordata.fatal(required) if isinstance(required, dict) else _SILENT
        guest = _Guest(self, request, instance, give, why or "")
        if why is None:
            return guest.go(HoldOutcome.ANSWERED)
        until = arrived + self.holding.seconds
        if self.clock() >= until or not self._room():
            return guest.go_without()
        guest.hold(self.alarm, until, required)
        return guest.future

    def close(self) -> None:
        """Wake nobody any more."""
        if self.alarm is not None:
            self.alarm.close()

    def leave(self) -> None:
        """Somebody is held no more."""
        with self._lock:
            self.held -= 1

    def note(self, how: HoldOutcome) -> None:
        """Count who goes on."""
        with self._lock:
            self.left[how] += 1

    def _room(self) -> bool:
        with self._lock:
            if self.held >= self.holding.most:
                return False
            self.held += 1
            return True


class _Guest:
    """One request at the door."""

    def __init__(
        self,
        door: BootGate,
        request: Request,
        instance: Instance,
        give: Callable[[], Response],
        why: str,
    ) -> None:
        self._door = door
        self._request = request
        self._instance = instance
        self._give = give
        self._lock = threading.Lock()
        self._gone = False
        self._why = why
        self._time_up: Callable[[], None] = lambda: None  # takes the alarm back, once it is set
        self.future: Future[Response] = Future()
        self.future.set_running_or_notify_cancel()

    def hold(self, alarm: Timers, until: float, asked: "Answers | Future[Answers]") -> None:
        """Until the required targets, which have been asked, have answered or the time is up."""
        self._alarm, self._until = alarm, until
        self._time_up = alarm.after(until - self._door.clock(), self._late)
        self._wait_for(asked)

    def go(self, how: HoldOutcome) -> Response:
        """On its way, with everything or without."""
        door, uuid = self._door, self._instance.uuid
        door.note(how)
        if door.vigil is not None and how is HoldOutcome.ANSWERED:
            door.vigil.given(uuid)
        if how is HoldOutcome.SENT_AWAY:
            return try_later(_NOT_YET, seconds=door.holding.retry_after).response(self._request)
        return self._give()

    def go_without(self) -> Response:
        """Its data is not there: sent away if it will come back, let in if it would give up."""
        door, uuid = self._door, self._instance.uuid
        if door.vigil is not None:
            door.vigil.missed(self._instance, self._why)
        comes_back = waits_out_503(self._request.header(b"user-agent"))
        how = (
            HoldOutcome.SENT_AWAY if door.holding.retry_after and comes_back else HoldOutcome.LET_IN
        )
        went = (
            "sent away, to come back" if how is HoldOutcome.SENT_AWAY else "let in without its data"
        )
        LOG.warning("guest of instance %s is %s (%s): %s", uuid, went, self._request.id, self._why)
        return self.go(how)

    def _look(self) -> None:
        """Ask the required targets, those that have failed once more."""
        if self._gone:
            return
        vendordata = self._door.vendordata
        self._wait_for(vendordata.begin(self._instance, only=vendordata.required, ahead=True))

    def _wait_for(self, answers: "Answers | Future[Answers]") -> None:
        if isinstance(answers, dict):
            self._judge(answers)
        else:
            answers.add_done_callback(lambda done: self._judge(done.result()))

    def _judge(self, answers: Answers) -> None:
        why = self._door.vendordata.fatal(answers)
        if why is None:
            self._settle(lambda: self.go(HoldOutcome.ANSWERED))
            return
        self._why = why
        if self._door.clock() + _AGAIN < self._until:
            self._alarm.after(_AGAIN, self._look)

    def _late(self) -> None:
        self._settle(self.go_without)

    def _settle(self, go: Callable[[], Response]) -> None:
        with self._lock:
            if self._gone:
                return
            self._gone = True
        self._time_up()
        self._door.leave()
        reply = answered(self._request, go)
        assert isinstance(reply, Response)
        self.future.set_result(reply)
