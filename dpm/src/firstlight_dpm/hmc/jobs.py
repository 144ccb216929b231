"""Waiting for the HMC's jobs: soon at first, then each second.

zhmcclient itself looks each ten seconds, so a partition that starts in three would take ten.
"""

import time
from typing import Any

import zhmcclient

from firstlight_dpm.hmc.failover import MovingSession

_FIRST, _LONGEST = 0.1, 1.0


class PatientSession(MovingSession):
    """A session that waits for jobs as above."""

    def post(
        self,
        uri: str,
        *rest: Any,
        wait_for_completion: bool = False,
        operation_timeout: float | None = None,
        **others: Any,
    ) -> Any:
        """As zhmcclient's, down to the exceptions."""
        answer = super().post(uri, *rest, **others)
        if not wait_for_completion or not isinstance(answer, zhmcclient.Job):
            return answer
        default = self.retry_timeout_config.operation_timeout
        return _result(answer, default if operation_timeout is None else operation_timeout)


def _result(job: zhmcclient.Job, timeout: float) -> Any:
    """What the job gives; raises OperationTimeout, or the HTTPError that it ended in."""
    late = time.monotonic() + timeout if timeout else float("inf")
    pause = _FIRST
    while True:
        ended, result = _looked(job)
        if ended:
            return result
        if time.monotonic() > late:
            raise zhmcclient.OperationTimeout(
                f"the job {job.uri} of {job.op_uri} has not ended after {timeout} seconds", timeout
            )
        time.sleep(pause)
        pause = min(pause * 2, _LONGEST)


def _looked(job: zhmcclient.Job) -> tuple[bool, Any]:
    try:
        status, result = job.check_for_completion()
    except zhmcclient.ConnectionError:
        # The job goes on while the HMC, or the way to it, is away.
        return False, None
    except zhmcclient.HTTPError as error:
        if error.http_status == 404 and error.request_uri == job.uri:
            # It ended, and its deletion's answer got lost: who waits for a status will see.
            return True, None
        raise
    return status == "complete", result
