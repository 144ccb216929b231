"""DynamicJSON: services of the operator's that are asked about each instance."""

import threading
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import Future, wait
from typing import Protocol

from keystoneauth1.session import Session

from firstlight.concurrency.deadline import Deadline
from firstlight.concurrency.timers import Timers
from firstlight.instance import Answer, Instance
from firstlight.vendordata_client.cache.response_cache import ResponseCache
from firstlight.vendordata_client.calls import question as questions
from firstlight.vendordata_client.calls.credentials import Credentials
from firstlight.vendordata_client.observer import NoObserver, TargetObserver
from firstlight.vendordata_client.policy import CallPolicy, TargetPolicy
from firstlight.vendordata_client.status import TargetStatus
from firstlight.vendordata_client.target_client import TargetClient
from firstlight.vendordata_client.targets import Target

Answers = dict[str, Answer]

# A call is ended at its deadline by the alarm, which knows why it was late; who waits longer than
# this for that was joined to somebody else's, longer, call.
_SLACK = 0.25
_MIB = 1024 * 1024


class AsksTargets(Protocol):
    """Whatever can be asked about an instance: the targets themselves, or a layer around them."""

    def ask(self, instance: Instance, deadline: float | None = None) -> Answers:
        """An answer per target, in order, within `deadline` seconds. Blocks."""

    def begin(
        self, instance: Instance, *, only: Collection[str] | None = None, ahead: bool = False
    ) -> "Answers | Future[Answers]":
        """The same without waiting: the answers if they are known, or a future of them.

        Args:
            instance: who it is about.
            only: names of targets; None: all.
            ahead: somebody else will ask about this instance in a moment; the answers are for him.
        """

    def outdate(self, uuid: str | None) -> None:
        """This instance (None: any) has changed: what is known of it counts no more."""

    def accounts(self, uuid: str) -> Sequence[TargetStatus]:
        """How things stand with this instance, target by target."""

    def shelves(self) -> Mapping[str, ResponseCache]:
        """What is kept of each target's answers, by its name."""

    def close(self) -> None:
        """Give back threads and connections; nothing may be asked afterwards."""


class DynamicJSON:
    """Asks all targets at once and waits for none of them beyond one deadline.

    Nothing is raised for what a target, the network or Keystone does: every target has its key, and
    one that failed has ``{}`` with state FAILED and the reason. Nova raises in two cases whatever
    its options say, a URL without host and a Keystone that gives no token, and so takes the other
    targets' data away as well; here these are failed targets like any other.

    Answers are kept as the targets allow and `terms` say; a question is what is sent, so an
    instance that has got another name, metadata or role is another question. Of several that ask
    the same at once, one asks.

    Args:
        targets: who is asked (:func:`firstlight.vendordata_client.parse`).
        session: a keystoneauth session (:func:`firstlight.vendordata_client.session.open_session`).
        settings: how each is called, where `terms` do not say.
        terms: by target name.
        deadline: seconds for all of them together, where `ask` is not given fewer.
        room: bytes of kept answers.
        clock: seconds since the epoch, for `Answer.fetched` and `expires`.
        timer: monotonic seconds.
        observer: is told what becomes of each question.
    """

    def __init__(
        self,
        targets: Iterable[Target],
        session: Session,
        settings: CallPolicy | None = None,
        *,
        terms: Mapping[str, TargetPolicy] | None = None,
        deadline: float = 8.0,
        room: int = 64 * _MIB,
        clock: Callable[[], float] = time.time,
        timer: Callable[[], float] = time.monotonic,
        observer: TargetObserver | None = None,
    ) -> None:
        self.targets = tuple(targets)
        self._session = session
        self._deadline = deadline
        self._timer = timer
        self._alarm = Timers()
        credentials = Credentials(session)
        self.keystone = credentials.dependency(deadline)  # gives the token that targets are shown
        default = TargetPolicy(call=settings or CallPolicy())
        self.upstreams = {
            target.name: TargetClient(
                target,
                (terms or {}).get(target.name, default),
                session=session,
                credentials=credentials,
                alarm=self._alarm,
                room=room // len(self.targets),
                clock=clock,
                timer=timer,
                observer=observer or NoObserver(),
            )
            for target in self.targets
        }

    def ask(self, instance: Instance, deadline: float | None = None) -> Answers:
        """An answer per target, in order, within `deadline` seconds. Blocks; any thread may call.

        A target that has not answered by then has failed, and its thread is freed.
        """
        until = self._until(deadline)
        asked = questions.about(instance)
        replies = self._replies(asked, until)
        pending = [reply for reply in replies.values() if isinstance(reply, Future)]
        wait(pending, until.left() + _SLACK)
        return {
            name: _value(reply) or self.upstreams[name].late(asked, until)
            for name, reply in replies.items()
        }

    def begin(
        self, instance: Instance, *, only: Collection[str] | None = None, ahead: bool = False
    ) -> "Answers | Future[Answers]":
        """The answers, if all are known, or a future of them that never raises. Does not block.

        With `ahead`, what may not be kept waits ten seconds for the one who will ask.
        """
        asked = questions.about(instance)
        return _together(self._replies(asked, self._until(None), only=only, ahead=ahead))

    def outdate(self, uuid: str | None) -> None:
        """This instance (None: any) has changed.

        What is kept of it has to be asked for again, with its ETag where it has one; should that
        fail, and the question still be the same, it may stand in. What is under way is given to
        those who wait and not kept.
        """
        for upstream in self.upstreams.values():
            upstream.outdate(uuid)

    def accounts(self, uuid: str) -> Sequence[TargetStatus]:
        """How things stand with this instance, target by target."""
        return [upstream.account(uuid) for upstream in self.upstreams.values()]

    def shelves(self) -> Mapping[str, ResponseCache]:
        """What is kept of each target's answers, by its name; only to be looked at."""
        return {name: upstream.shelf for name, upstream in self.upstreams.items()}

    def close(self) -> None:
        """End what is under way; nothing may be asked afterwards."""
        for upstream in self.upstreams.values():
            upstream.close()
        self._alarm.close()
        self._session.session.close()

    def _until(self, deadline: float | None) -> Deadline:
        return Deadline(self._deadline if deadline is None else deadline, self._timer)

    def _replies(
        self,
        asked: questions.Question,
        until: Deadline,
        *,
        only: Collection[str] | None = None,
        ahead: bool = False,
    ) -> "dict[str, Answer | Future[Answer]]":
        return {
            name: upstream.ask(asked, until, ahead=ahead)
            for name, upstream in self.upstreams.items()
            if only is None or name in only
        }


def _value(reply: "Answer | Future[Answer]") -> Answer | None:
    """The answer; None: it is not there yet."""
    if isinstance(reply, Answer):
        return reply
    return reply.result() if reply.done() else None


def _together(replies: "Mapping[str, Answer | Future[Answer]]") -> "Answers | Future[Answers]":
    pending = [reply for reply in replies.values() if isinstance(reply, Future)]
    if not pending:
        return _values(replies)
    answers: Future[Answers] = Future()
    answers.set_running_or_notify_cancel()
    left, lock = len(pending), threading.Lock()

    def landed(_: "Future[Answer]") -> None:
        nonlocal left
        with lock:
            left -= 1
            if left:
                return
        answers.set_result(_values(replies))

    for reply in pending:
        reply.add_done_callback(landed)
    return answers


def _values(replies: "Mapping[str, Answer | Future[Answer]]") -> Answers:
    return {name: found for name, reply in replies.items() if (found := _value(reply))}
