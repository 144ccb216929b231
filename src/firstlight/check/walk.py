"""Trying steps: each on its own thread, under its own deadline, none behind another's failure."""

import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from functools import partial
from typing import NamedTuple, TypeVar

from firstlight.check.step import Finding, Step, StepOutcome, StepState, broken

LOG = logging.getLogger(__name__)

T = TypeVar("T")

_ORDER = list(StepState)


def walk(steps: Iterable[Step]) -> Iterator[StepOutcome]:
    """What became of each step, in their order, each as soon as it is known.

    All that do not need each other are under way at once. Steps that turn up on the way come right
    after the step that found them.
    """
    yield from _in_order(_begin(steps))


class _Done(NamedTuple):
    outcome: StepOutcome
    more: Sequence["Future[_Done]"]


def _begin(steps: Iterable[Step]) -> "list[Future[_Done]]":
    begun: list[tuple[str, Future[_Done]]] = []
    for step in steps:
        earlier = dict(begun)
        needed = [earlier[name] for name in step.needs]
        begun.append((step.name, _on_thread(partial(_done, step, needed))))
    return [future for _, future in begun]


def _in_order(begun: "Iterable[Future[_Done]]") -> Iterator[StepOutcome]:
    for future in begun:
        done = future.result()
        yield done.outcome
        yield from _in_order(done.more)


def _done(step: Step, needed: "Iterable[Future[_Done]]") -> _Done:
    outcomes = [future.result().outcome for future in needed]
    missing = [o.name for o in outcomes if o.verdict in (StepState.BROKEN, StepState.NOT_TRIED)]
    if missing:
        why = Finding(StepState.NOT_TRIED, f"needs {', '.join(missing)}")
        return _Done(StepOutcome(step.name, StepState.NOT_TRIED, (why,), 0.0), ())
    began = time.monotonic()
    found = _looked(step)
    findings = tuple(one for one in found if isinstance(one, Finding))
    verdict = max((one.verdict for one in findings), key=_ORDER.index, default=StepState.OK)
    more = _begin(one for one in found if isinstance(one, Step))
    return _Done(StepOutcome(step.name, verdict, findings, time.monotonic() - began), more)


def _looked(step: Step) -> list[Finding | Step]:
    """What it found in time."""
    found: list[Finding | Step] = []
    future = _on_thread(partial(_look, step, found))
    try:
        future.result(step.seconds)
    except TimeoutError:
        late = broken(
            f"did not end within {step.seconds:g} s",
            remedy="something hangs: a firewall that drops packets, or a server that is stuck",
        )
        return [*found, late]
    return found


def _look(step: Step, found: list[Finding | Step]) -> None:
    try:
        for one in step.look():
            found.append(one)  # noqa: PERF402  (what was found before the deadline counts)
    except Exception as error:  # the thread's boundary: a mistake of ours must not end the walk
        LOG.exception("step %s", step.name)
        fault = f"this step is at fault itself: {type(error).__name__}, logged above"
        found.append(broken(fault, remedy="report it"))


def _on_thread(work: Callable[[], T]) -> "Future[T]":
    """A daemon, so that a step which hangs does not keep the command from ending."""
    future: Future[T] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as error:  # noqa: BLE001  (it belongs to whoever waits)
            future.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return future
