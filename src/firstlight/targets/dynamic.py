"""DynamicJSON: services of the operator's that are asked about each instance."""

import logging
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Protocol

from keystoneauth1.session import Session

from firstlight.instance import Answer, Instance, State
from firstlight.targets import request
from firstlight.targets.call import Call, Settings
from firstlight.targets.credentials import Credentials
from firstlight.targets.deadline import Deadline
from firstlight.targets.reply import failed
from firstlight.targets.targets import Target

LOG = logging.getLogger(__name__)

Observe = Callable[[str, Answer, float], None]


class Asks(Protocol):
    """Whatever can be asked about an instance: the targets themselves, or a layer around them."""

    def ask(self, instance: Instance, deadline: float | None = None) -> dict[str, Answer]:
        """An answer per target, in order, within `deadline` seconds. Blocks."""

    def close(self) -> None:
        """Give back threads and connections; nothing may be asked afterwards."""


class DynamicJSON:
    """Asks all targets at once and waits for none of them beyond one deadline.

    Each target has threads of its own, `settings.in_flight` of them at most, shared by all who ask;
    one that is dead can take all of its own and none of another's. A question that finds them all
    taken waits for one, within its deadline.

    Nothing is raised for what a target, the network or Keystone does: every target has its key,
    and one that failed has ``{}`` with state FAILED and the reason. Nova raises in two cases
    whatever its options say, a URL without host and a Keystone that gives no token, and so takes
    the other targets' data away as well; here these are failed targets like any other.

    Args:
        targets: who is asked (:func:`firstlight.targets.parse`).
        session: a keystoneauth session (:func:`firstlight.targets.session.open_session`).
        settings: how each is called.
        deadline: seconds for all of them together, where `ask` is not given fewer.
        clock: seconds since the epoch, for `Answer.fetched`.
        timer: monotonic seconds.
        observe: called with target name, answer and seconds it took, once per target and question,
            on the asking thread.
    """

    def __init__(
        self,
        targets: Iterable[Target],
        session: Session,
        settings: Settings | None = None,
        *,
        deadline: float = 8.0,
        clock: Callable[[], float] = time.time,
        timer: Callable[[], float] = time.monotonic,
        observe: Observe | None = None,
    ) -> None:
        self.targets = tuple(targets)
        self._session = session
        self._credentials = Credentials(session)
        self._settings = settings or Settings()
        self._deadline = deadline
        self._clock = clock
        self._timer = timer
        self._observe = observe
        self._threads = {
            target.name: ThreadPoolExecutor(self._settings.in_flight, f"target-{target.name}")
            for target in self.targets
            if target.problem is None
        }

    def ask(self, instance: Instance, deadline: float | None = None) -> dict[str, Answer]:
        """An answer per target, in order, within `deadline` seconds. Blocks; any thread may call.

        A target that has not answered by then has failed, and its thread is freed.
        """
        question = _Question(
            Deadline(self._deadline if deadline is None else deadline, self._timer), self._clock
        )
        body = request.body(instance)
        try:
            for target in self.targets:
                if target.problem is None:
                    question.put(self._call(target, body, question.deadline), self._threads)
            question.wait()
        finally:
            question.end()
        return {target.name: self._told(target, instance, question) for target in self.targets}

    def close(self) -> None:
        """End the threads once they are idle; nothing may be asked afterwards."""
        for threads in self._threads.values():
            threads.shutdown(wait=False, cancel_futures=True)
        self._session.session.close()

    def _call(self, target: Target, body: bytes, deadline: Deadline) -> Call:
        return Call(
            target,
            body,
            session=self._session,
            credentials=self._credentials,
            settings=self._settings,
            deadline=deadline,
            clock=self._clock,
        )

    def _told(self, target: Target, instance: Instance, question: "_Question") -> Answer:
        answer, seconds = question.outcome(target)
        if answer.state is State.FAILED:
            LOG.warning(
                "vendordata target %s (%s) failed for instance %s: %s",
                target.name,
                target.shown,
                instance.uuid,
                answer.reason,
            )
        if self._observe is not None:
            self._observe(target.name, answer, seconds)
        return answer


class _Question:
    """The calls of one `ask`, under their one deadline."""

    def __init__(self, deadline: Deadline, clock: Callable[[], float]) -> None:
        self.deadline = deadline
        self._clock = clock
        self._calls: dict[str, Call] = {}
        self._futures: dict[str, Future[tuple[Answer, float]]] = {}
        self._done: set[Future[tuple[Answer, float]]] = set()
        self._never_begun: set[str] = set()

    def put(self, call: Call, threads: Mapping[str, ThreadPoolExecutor]) -> None:
        name = call.target.name
        self._calls[name] = call
        self._futures[name] = threads[name].submit(self._timed, call)

    def wait(self) -> None:
        self._done, _ = wait(self._futures.values(), timeout=self.deadline.left())

    def end(self) -> None:
        """Free the threads of those that did not answer."""
        for name, future in self._futures.items():
            if future in self._done:
                continue
            if future.cancel():
                self._never_begun.add(name)
            self._calls[name].cut()

    def outcome(self, target: Target) -> tuple[Answer, float]:
        """The target's answer and the seconds it took."""
        if target.problem is not None:
            return failed(target.problem, self._clock()), 0.0
        future = self._futures[target.name]
        if future in self._done:
            return future.result()
        why = f"did not answer within {self.deadline}"
        if target.name in self._never_begun:
            why = f"was not asked within {self.deadline}: too many questions to it are open"
        return failed(why, self._clock()), self.deadline.spent()

    def _timed(self, call: Call) -> tuple[Answer, float]:
        try:
            answer = call.answer()
        except Exception:  # the thread's boundary: a fault of ours costs one key
            LOG.exception("vendordata target %s: fault of Firstlight's", call.target.name)
            reason = "was not asked properly: a fault of Firstlight's, see its log"
            answer = failed(reason, self._clock())
        return answer, self.deadline.spent()
