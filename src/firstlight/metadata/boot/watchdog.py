"""Servers whose required vendor data does not come: after a while they are set to ERROR.

A guest that only uses HTTP cannot fail its own boot: it goes on without what it did not get. So
whoever ordered the server is told instead.
"""

import logging
import threading
from collections import OrderedDict
from typing import NamedTuple, Protocol

from firstlight.concurrency.throttle import ThrottledLog
from firstlight.concurrency.workers import Overloaded, Workers
from firstlight.instance import Instance
from firstlight.metadata.settings import VendorDataProvider
from firstlight.vendordata_client import Answers, Timers

LOG = logging.getLogger(__name__)

# Servers that are watched at a time; past it the oldest are forgotten, aloud.
_MOST = 4096
# A verdict that could not be given is tried again after so many seconds, so many times.
_AGAIN = 10.0
_TIMES = 30


class SetErrorFailed(Exception):
    """A server could not be set to ERROR; the message says why and who must act."""


class SetErrorResult(NamedTuple):
    """Whether a server was set to ERROR, and what has been done or why not, for the log."""

    condemned: bool
    told: str


class ErrorSetter(Protocol):
    """Sets servers to ERROR, where their owners see it."""

    def __call__(self, uuid: str, reason: str) -> SetErrorResult:
        """Set it, unless there is a reason not to. Blocks.

        Raises:
            SetErrorFailed: it was not.
        """


class Watchdog:
    """Watches over the servers that went on without their data. Any thread may call.

    A server is condemned `seconds` after it was first missed unless it has been given everything
    since, or its targets answer by then and it was never refused the document.

    Args:
        vendordata: whose targets are asked a last time.
        verdict: what is done then.
        seconds: from the first miss.
        alarm: wakes it.
        pool: where verdicts are carried out.
    """

    def __init__(
        self,
        vendordata: VendorDataProvider,
        verdict: ErrorSetter,
        *,
        seconds: float,
        alarm: Timers,
        pool: Workers,
    ) -> None:
        self._vendordata = vendordata
        self._verdict = verdict
        self._seconds = seconds
        self._alarm = alarm
        self._pool = pool
        self._lock = threading.Lock()
        self._guests = ThrottledLog(LOG)  # guests may come as often as they like
        self._cases: OrderedDict[str, _Case] = OrderedDict()
        self.condemned = self.spared = self.failed = 0

    def missed(self, instance: Instance, why: str) -> None:
        """A guest that has just begun to ask could not be given what is required."""
        with self._lock:
            if instance.uuid in self._cases:
                return
            case = self._cases[instance.uuid] = _Case(instance, why)
            if len(self._cases) > _MOST:
                forgotten, _ = self._cases.popitem(last=False)
                self._guests.error(
                    "too many servers wait for required targets: %s is let be", forgotten
                )
        self._alarm.after(self._seconds, lambda: self._end(case))

    def refused(self, uuid: str, why: str) -> None:
        """A guest was refused the document; one that nobody watches over is not booting."""
        with self._lock:
            case = self._cases.get(uuid)
            if case is not None:
                case.refused, case.why = True, why

    def given(self, uuid: str) -> None:
        """A guest has got everything, or may go and get it."""
        with self._lock:
            self._cases.pop(uuid, None)

    def _watched(self, case: "_Case") -> bool:
        with self._lock:
            return self._cases.get(case.instance.uuid) is case

    def _end(self, case: "_Case") -> None:
        """Its time is up: a last look, without blocking."""
        if not self._watched(case):
            return
        if case.refused:
            self._condemn(case)
            return
        answers = self._vendordata.begin(case.instance, only=self._vendordata.required, ahead=True)
        if isinstance(answers, dict):
            self._judge(case, answers)
        else:
            answers.add_done_callback(lambda done: self._judge(case, done.result()))

    def _judge(self, case: "_Case", answers: Answers) -> None:
        why = self._vendordata.fatal(answers)
        if why is None:
            self.given(case.instance.uuid)
            return
        case.why = why
        self._condemn(case)

    def _condemn(self, case: "_Case") -> None:
        try:
            self._pool.submit(self._carry_out, case)
        except Overloaded as error:
            self._again(case, str(error))

    def _carry_out(self, case: "_Case") -> None:
        if not self._watched(case):
            return
        uuid = case.instance.uuid
        try:
            ruling = self._verdict(uuid, case.why)
        except SetErrorFailed as error:
            self._again(case, str(error))
            return
        except Exception:  # the thread's boundary: nobody else would hear of it
            LOG.exception("instance %s cannot be set to ERROR", uuid)
            self._again(case, "a fault of Firstlight's, see above")
            return
        self.given(uuid)  # a guest that asks again, and in vain, begins anew
        self.condemned += ruling.condemned
        self.spared += not ruling.condemned
        LOG.error(
            "instance %s, %g s without its vendor data (%s): %s",
            uuid,
            self._seconds,
            case.why,
            ruling.told,
        )

    def _again(self, case: "_Case", problem: str) -> None:
        self.failed += 1
        case.tries += 1
        LOG.error("instance %s cannot be set to ERROR: %s", case.instance.uuid, problem)
        if case.tries < _TIMES:
            self._alarm.after(_AGAIN, lambda: self._condemn(case))
        else:
            self.given(case.instance.uuid)


class _Case:
    """One server that went on without its data."""

    __slots__ = ("instance", "refused", "tries", "why")

    def __init__(self, instance: Instance, why: str) -> None:
        self.instance = instance
        self.why = why
        self.refused = False
        self.tries = 0
