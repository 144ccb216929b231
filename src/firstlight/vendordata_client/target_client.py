"""One target: who is asked, what is kept of its answers, and whether it is worth asking."""

import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from keystoneauth1.session import Session
from msgspec import structs

from firstlight.concurrency.circuit_breaker import BreakerEffect, CircuitBreaker
from firstlight.concurrency.deadline import Deadline
from firstlight.concurrency.timers import Timers
from firstlight.instance import Answer, State
from firstlight.vendordata_client.cache.freshness_policy import ResponseKeeper, stale
from firstlight.vendordata_client.cache.response_cache import CachedResponse, ResponseCache
from firstlight.vendordata_client.calls.call import CallResult, TargetCall, failed
from firstlight.vendordata_client.calls.credentials import Credentials
from firstlight.vendordata_client.calls.failure import Kind, blames_target
from firstlight.vendordata_client.calls.flight import SharedCall
from firstlight.vendordata_client.calls.question import Question
from firstlight.vendordata_client.observer import ServedFrom, TargetObserver
from firstlight.vendordata_client.policy import TargetPolicy
from firstlight.vendordata_client.status import FailedCall, RecentFailures, TargetStatus
from firstlight.vendordata_client.target_log import TargetLog
from firstlight.vendordata_client.targets import Target

LOG = logging.getLogger(__name__)

# Questions that may wait for a thread, beyond those that are open. At 200 ms and sixteen at a time
# they would take thirteen seconds, longer than any guest waits.
_WAITING = 1024


class TargetClient:
    """One target. Any thread may call; only :meth:`close` and what it returns may block.

    Each question is asked by one of the target's own threads, however many want to know the answer,
    and ends at its deadline, come what may. A target that is dead can take all of its own threads
    and none of another's.

    Args:
        target: who.
        terms: how it is called, and how long its answers are kept.
        session, credentials: of the process.
        alarm: ends calls at their deadline.
        room: bytes that kept answers may take.
        clock: seconds since the epoch, for what is shown.
        timer: monotonic seconds, for what is decided.
        observer: is told.
    """

    def __init__(
        self,
        target: Target,
        terms: TargetPolicy,
        *,
        session: Session,
        credentials: Credentials,
        alarm: Timers,
        room: int,
        clock: Callable[[], float],
        timer: Callable[[], float],
        observer: TargetObserver,
    ) -> None:
        self.target = target
        self.terms = terms
        self.shelf = ResponseCache(room)
        self._session = session
        self._credentials = credentials
        self._alarm = alarm
        self._clock = clock
        self._timer = timer
        self._observer = observer
        self._telling = TargetLog(target, clock)
        self._failures = RecentFailures()
        self._blamed = ""  # for what it was blamed last
        self._breaker = CircuitBreaker(terms.breaker_failures, terms.breaker_seconds, timer)
        self._threads = ThreadPoolExecutor(terms.call.in_flight, f"target-{target.name}")
        self._lock = threading.RLock()
        self._flights: dict[bytes, SharedCall] = {}
        self._keeper = ResponseKeeper(self.shelf, terms.keeping, clock=clock, timer=timer)
        observer.breaker(target.name, BreakerEffect.CLOSED)

    def ask(
        self, question: Question, deadline: Deadline, *, ahead: bool = False
    ) -> "Answer | Future[Answer]":
        """The answer, or a future of it that never raises and is fulfilled by its deadline.

        Args:
            question: about which instance.
            deadline: of the call, if there has to be one.
            ahead: nobody wants to know yet; what comes is kept until somebody does.
        """
        with self._lock:
            answer, how = self._answer(question, deadline, ahead=ahead)
        if not ahead:
            self._observer.served(self.target.name, how)
            if how is ServedFrom.NOTHING and isinstance(answer, Answer):
                # The log has said why it is not asked; this is only for whom.
                self._telling.failed(question.uuid, answer, logging.INFO)
        return answer

    def late(self, question: Question, deadline: Deadline) -> Answer:
        """What there is for somebody who cannot wait for a call that is under way."""
        with self._lock:
            known = self.shelf.get(question.uuid, question.digest)
            return self._keeper.without(known, f"did not answer within {deadline}")

    def account(self, uuid: str) -> TargetStatus:
        """How things stand with this instance."""
        with self._lock:
            now, known = self._timer(), self.shelf.look(uuid)
            refuses = self._breaker.state is BreakerEffect.OPEN
            account = TargetStatus(
                target=self.target.name,
                url=self.target.shown,
                required=self.terms.required,
                breaker=self._breaker.state,
                retry_in=self._breaker.left() if refuses else None,
                asking=any(flight.question.uuid == uuid for flight in self._flights.values()),
                failure=self._failures.get(uuid),
            )
        if known is None:
            return account
        return structs.replace(
            account,
            state=known.answer.state.value,
            fetched=known.answer.fetched,
            fresh=now < known.fresh_until,
            stands_in=max(0.0, known.stands_until - now),
        )

    def outdate(self, uuid: str | None) -> None:
        """This instance (None: any) has changed: what is kept of it is not fresh any more."""
        with self._lock:
            self.shelf.outdate(uuid, self._timer())
            for flight in self._flights.values():
                if uuid in (None, flight.question.uuid):
                    flight.dirty = True

    def close(self) -> None:
        """End what is under way; nothing may be asked afterwards."""
        with self._lock:
            flights = list(self._flights.values())
        for flight in flights:
            self._cut(flight, "was not waited for: the service ends")
        self._threads.shutdown(wait=False, cancel_futures=True)

    # -- asking: these run under the lock ----------------------------------------------------------

    def _answer(
        self, question: Question, deadline: Deadline, *, ahead: bool
    ) -> "tuple[Answer | Future[Answer], ServedFrom]":
        now = self._timer()
        known = self.shelf.get(question.uuid, question.digest)
        if known is not None and now < known.fresh_until:
            if not ahead:
                self._keeper.taken(question.uuid, known)
            return known.answer, ServedFrom.KEPT
        flight = self._flights.get(question.digest)
        how = ServedFrom.JOINED
        if flight is None or flight.dirty:  # that one's answer is of what the instance was
            refusal = self._refusal()
            if refusal is not None:
                answer = self._keeper.without(known, refusal)
                return (
                    answer,
                    ServedFrom.STALE if answer.state is State.STALE else ServedFrom.NOTHING,
                )
            flight, how = self._begin(question, deadline, known), ServedFrom.ASKED
        if known is not None and now < known.refresh_until:
            return stale(known, "is being asked again"), ServedFrom.STALE
        flight.collected |= not ahead
        return flight.future, how

    def _refusal(self) -> str | None:
        """Why the target is not asked at all; None: it is."""
        if self.target.problem is not None:
            self._observer.called(self.target.name, self._failed("", Kind.URL), Kind.URL, 0.0)
            return self.target.problem
        if len(self._flights) >= _WAITING + self.terms.call.in_flight:
            self._observer.called(self.target.name, self._failed("", Kind.BUSY), Kind.BUSY, 0.0)
            return "was not asked: too many questions to it are open"
        if not self._breaker.refuses():
            if self._breaker.state is BreakerEffect.HALF_OPEN:
                self._observer.breaker(self.target.name, BreakerEffect.HALF_OPEN)
            return None
        return (
            f"was not asked: it failed {self._breaker.failures} times in a row ({self._blamed}), "
            f"and is tried again in {self._breaker.left():.0f} s"
        )

    def _failed(self, why: str, kind: Kind) -> Answer:
        return failed(why, kind, self._clock()).answer

    def _begin(
        self, question: Question, deadline: Deadline, known: CachedResponse | None
    ) -> SharedCall:
        timeout = self.terms.call.timeout
        if timeout is not None and timeout < deadline.left():
            deadline = Deadline(timeout, self._timer)
        call = TargetCall(
            self.target,
            question.body,
            etag=None if known is None else known.etag,
            session=self._session,
            credentials=self._credentials,
            settings=self.terms.call,
            deadline=deadline,
            clock=self._clock,
        )
        flight = SharedCall(question, call, deadline, known, self._timer())
        self._flights[question.digest] = flight
        try:
            flight.job = self._threads.submit(self._fly, flight)
        except RuntimeError as error:  # the machine has no more threads
            flight.call.cut()
            self._land(flight, failed(f"was not asked: {error}", Kind.BUSY, self._clock()))
            return flight
        flight.quiet = self._alarm.after(deadline.left(), lambda: self._cut_late(flight))
        return flight

    # -- landing: on the target's thread, or the alarm's -------------------------------------------

    def _fly(self, flight: SharedCall) -> CallResult:
        try:
            told = flight.call.told()
        except Exception:  # the thread's boundary: a fault of ours costs one key
            LOG.exception("vendordata target %s: fault of Firstlight's", self.target.name)
            reason = "was not asked properly: a fault of Firstlight's, see its log"
            told = failed(reason, Kind.FAULT, self._clock())
        self._land(flight, told)
        return told

    def _cut_late(self, flight: SharedCall) -> None:
        self._cut(flight, f"did not answer within {flight.deadline}")

    def _cut(self, flight: SharedCall, why: str) -> None:
        kind = Kind.TIMEOUT
        if not flight.cut():
            kind = Kind.BUSY
            why = f"was not asked within {flight.deadline}: too many questions to it are open"
        self._land(flight, failed(why, kind, self._clock()))

    def _land(self, flight: SharedCall, told: CallResult) -> None:
        with self._lock:
            if flight.landed:
                return
            flight.landed = True
            if self._flights.get(flight.question.digest) is flight:
                del self._flights[flight.question.digest]
            self._judge(told)
            answer = self._keeper.taken_in(flight, told)
        flight.quiet()
        shown = told.answer if told.kind else answer
        self._observer.called(self.target.name, shown, told.kind, self._timer() - flight.began)
        if told.kind is not None:
            self._note(flight.question.uuid, told, told.kind)
            self._telling.failed(flight.question.uuid, answer)
        flight.future.set_result(answer)
        self._let_go_later(flight.question.uuid)

    def _let_go_later(self, uuid: str) -> None:
        """What waits for one guest does not wait for ever; it may be what must not be stored."""
        with self._lock:
            kept = self.shelf.look(uuid)
        if kept is not None and kept.once:
            until = kept.fresh_until
            self._alarm.after(until - self._timer(), lambda: self._let_go(uuid, until))

    def _let_go(self, uuid: str, until: float) -> None:
        with self._lock:
            kept = self.shelf.look(uuid)
            if kept is not None and kept.fresh_until <= until:
                self._keeper.taken(uuid, kept)

    def _note(self, uuid: str, told: CallResult, kind: Kind) -> None:
        why, when = told.answer.reason or "", told.answer.fetched
        with self._lock:
            self._failures.add(uuid, FailedCall(when=when, kind=kind, reason=why))

    def _judge(self, told: CallResult) -> None:
        """What the call tells about the target as a whole."""
        before = self._breaker.state
        if told.kind in (Kind.BUSY, Kind.FAULT):
            self._breaker.undecided()
        elif told.kind is not None and blames_target(told.kind, told.status):
            self._breaker.failed()
            self._blamed = told.answer.reason or ""
        else:
            self._breaker.answered()
        after = self._breaker.state
        if after is not before:
            self._observer.breaker(self.target.name, after)
            self._telling.breaker(before, after, self._breaker.failures, self.terms.breaker_seconds)
