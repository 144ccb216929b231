"""A question to one target that is under way."""

from collections.abc import Callable
from concurrent.futures import Future

from firstlight.concurrency.deadline import Deadline
from firstlight.instance import Answer
from firstlight.vendordata_client.cache.response_cache import CachedResponse
from firstlight.vendordata_client.calls.call import CallResult, TargetCall
from firstlight.vendordata_client.calls.question import Question


class SharedCall:
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
        self,
        question: Question,
        call: TargetCall,
        deadline: Deadline,
        known: CachedResponse | None,
        began: float,
    ) -> None:
        self.question = question
        self.call = call
        self.deadline = deadline
        self.known = known
        self.began = began
        self.future: Future[Answer] = Future()
        self.future.set_running_or_notify_cancel()
        self.job: Future[CallResult] | None = None
        self.quiet: Callable[[], None] = lambda: None  # takes its alarm back
        self.collected = self.dirty = self.landed = False

    def cut(self) -> bool:
        """End the call; False if it had not even begun."""
        begun = self.job is None or not self.job.cancel()
        self.call.cut()
        return begun
