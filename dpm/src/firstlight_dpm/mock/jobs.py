"""Jobs: what an HMC begins at once and ends later, and the statuses in between.

There are no threads: whoever asks something first ends the jobs whose time has come.
"""

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from firstlight_dpm.mock.refusal import Refusal, unless


@dataclass
class Job:
    """One job; `end` changes the machine, and gives the job's results."""

    due: float
    end: Callable[[], dict[str, Any] | None]
    answer: dict[str, Any] | None = None


class Jobs:
    """All jobs of one HMC."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._numbers = itertools.count(1)
        self._jobs: dict[str, Job] = {}

    def begin(self, seconds: float, end: Callable[[], dict[str, Any] | None]) -> str:
        """A new job's URI; it ends by itself when its time has come."""
        uri = f"/api/jobs/{next(self._numbers)}"
        self._jobs[uri] = Job(self._clock() + seconds, end)
        self.settle()
        return uri

    def settle(self) -> None:
        """End what is due, in the order in which it is."""
        now = self._clock()
        due = [job for job in self._jobs.values() if job.answer is None and job.due <= now]
        for job in sorted(due, key=lambda job: job.due):
            job.answer = _ended(job)

    def query(self, uri: str) -> dict[str, Any]:
        """Query Job Status."""
        answer = self._job(uri).answer
        return {"status": "running"} if answer is None else {"status": "complete", **answer}

    def delete(self, uri: str) -> None:
        """Delete Completed Job Status."""
        unless(self._job(uri).answer, 409, 40, "The job has not ended")
        del self._jobs[uri]

    def _job(self, uri: str) -> Job:
        unless(uri in self._jobs, 404, 1, f"There is no job {uri}")
        return self._jobs[uri]


def _ended(job: Job) -> dict[str, Any]:
    try:
        results = job.end()
    except Refusal as refusal:
        return {
            "job-status-code": refusal.status,
            "job-reason-code": refusal.reason,
            "job-results": {"message": refusal.message},
        }
    code = 204 if results is None else 200
    return {"job-status-code": code, "job-reason-code": 0, "job-results": results}
