"""A question to one target that is under way."""

from collections.abc import Callable
from concurrent.futures import Future

from firstlight.instance import Answer
from firstlight.targets.call import Call, Told
from firstlight.targets.deadline import Deadline
from firstlight.targets.kept import Kept
from firstlight.targets.question import Question


class Flight:
    """One call, with everybody who waits for it; `future` holds what they all get.

    Attributes:
        began: monotonic seconds.
        known: what was kept when it began.
        collected: somebody waits for it, or has; False: it was only begun in advance.
        dirty: the instance changed meanwhile, so that the answer may not be kept.
        landed: its answer is known.
    """

    __slots__ = (
        "began",
        "call",
        "collected",
        "deadline",
        "dirty",
        "future",
        "job",
        "known",
        "landed",
        "question",
        "quiet",
    )

    def __init__(
        self, question: Question, call: Call, deadline: Deadline, known: Kept | None, began: float
    ) -> None:
        self.question = question
        self.call = call
        self.deadline = deadline
        self.known = known
        self.began = began
        self.future: Future[Answer] = Future()
        self.future.set_running_or_notify_cancel()
        self.job: Future[Told] | None = None
        self.quiet: Callable[[], None] = lambda: None  # takes its alarm back
        self.collected = self.dirty = self.landed = False

    def cut(self) -> bool:
        """End the call; False if it had not even begun."""
        begun = self.job is None or not self.job.cancel()
        self.call.cut()
        return begun
