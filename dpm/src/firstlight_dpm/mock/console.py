"""The HMC itself: sessions, jobs, faults and rules around zhmcclient's mock, without a network."""

import hmac
import itertools
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable
from typing import Any

import zhmcclient

from firstlight_dpm.mock.control import OPERATIONS as CONTROL
from firstlight_dpm.mock.faults import Fault, Faults
from firstlight_dpm.mock.jobs import Jobs
from firstlight_dpm.mock.machine import Machine, build
from firstlight_dpm.mock.refusal import Refusal, unless
from firstlight_dpm.mock.request import Operations, Request, Started, find
from firstlight_dpm.mock.resources import hbas, messages, nics, partitions, storage_groups

OPERATIONS: Operations = (
    *partitions.OPERATIONS,
    *nics.OPERATIONS,
    *hbas.OPERATIONS,
    *storage_groups.OPERATIONS,
    *messages.OPERATIONS,
)

#: Adding properties to a list came with API 4.1 (HMC 2.16), features with 4.10.
_LISTS_WITH_MORE = (4, 1)
_FEATURES = (4, 10)
_REMEMBERED = 10_000


class Console:
    """One HMC with one machine. Threads may share it: requests are carried out one by one."""

    def __init__(
        self,
        machine: Machine,
        *,
        username: str,
        password: str,
        job_seconds: float = 0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.machine = machine
        self.mock = build(machine)
        self.faults = Faults()
        self.jobs = Jobs(clock)
        self.numbers = itertools.count(1)
        self.said: dict[str, list[dict[str, Any]]] = {}
        self._requests: deque[tuple[str, str]] = deque(maxlen=_REMEMBERED)
        self.lock = threading.RLock()
        self._login = (username, password)
        self._job_seconds = job_seconds
        self._sessions: set[str] = set()

    # What a server calls.

    def faults_for(self, request: Request) -> list[Fault]:
        """The injected faults that strike this request."""
        with self.lock:
            return self.faults.of(request.method, request.target)

    def answer(self, request: Request, session: str | None) -> tuple[int, Any]:
        """HTTP status and JSON body; None is no body. Raises Refusal."""
        with self.lock:
            self.jobs.settle()
            if request.uri.startswith("/mock/"):
                return _status_of(request, self._carry_out(CONTROL, request))
            self._requests.append((request.method, request.target))
            if request.uri in ("/api/version", "/api/sessions"):
                return self._greet(request)
            self._know(session)
            if request.uri == "/api/sessions/this-session":
                self._sessions.discard(str(session))
                return 204, None
            return _status_of(request, self._serve(request))

    # What operations call.

    def pass_on(self, request: Request) -> Any:
        """Let zhmcclient's mock carry it out."""
        try:
            return self._pass_on(request)
        except zhmcclient.HTTPError as error:
            raise Refusal(error.http_status, error.reason, error.message) from None

    def get(self, uri: str) -> Any:
        """A resource, or None."""
        return self.mock.hmc.all_resources.get(uri)

    def resource(self, uri: str) -> Any:
        """A resource; refuses if there is none."""
        found = self.get(uri)
        unless(found is not None, 404, 1, f"There is no {uri}")
        return found

    @property
    def requests(self) -> list[tuple[str, str]]:
        """The last that were asked: methods and URIs."""
        return list(self._requests)

    def alive(self, resource: Any) -> bool:
        """Whether this very resource still exists."""
        return self.get(resource.uri) is resource

    @property
    def groups(self) -> Any:
        """The storage groups."""
        return self.mock.hmc.consoles.console.storage_groups

    def begin(self, end: Callable[[], Any]) -> Started:
        """A job that ends in a while."""
        return Started(self.jobs.begin(self._job_seconds, end))

    def new_wwpn(self) -> str:
        """A host port's WWPN that nothing else here has."""
        return f"c05076ffe5{next(self.numbers):06x}"

    def forget_nics(self, gone: list[Any]) -> None:
        """Virtual switches lose the NICs that were deleted."""
        uris = {one.uri for one in gone}
        for cpc in self.mock.hmc.cpcs.list():
            for switch in cpc.virtual_switches.list():
                there = switch.properties["connected-vnic-uris"]
                switch.properties["connected-vnic-uris"] = [u for u in there if u not in uris]

    def forget_sessions(self) -> None:
        """All sessions expire."""
        self._sessions.clear()

    # How an answer comes about.

    def _greet(self, request: Request) -> tuple[int, Any]:
        if request.method == "POST":
            wanted = [str(request.body.get(name, "")) for name in ("userid", "password")]
            known = map(hmac.compare_digest, map(str.encode, wanted), map(str.encode, self._login))
            unless(all(list(known)), 403, 0, "The user or the password is not right")
        answer = self.pass_on(request)
        if request.method == "POST":
            answer |= {"api-session": uuid.uuid4().hex, **self._level_said()}
            self._sessions.add(answer["api-session"])
        return 200, answer

    def _level_said(self) -> dict[str, int]:
        # zhmcclient's mock says 4.40 to whoever logs on.
        major, minor = _level(self.machine)
        return {"api-major-version": major, "api-minor-version": minor}

    def _know(self, session: str | None) -> None:
        unless(session, 403, 4, "No session id was given")
        unless(session in self._sessions, 403, 5, "The session id is not known")

    def _serve(self, request: Request) -> Any:
        if request.uri.startswith("/api/jobs/"):
            job = self.jobs.query if request.method == "GET" else self.jobs.delete
            return job(request.uri)
        return self._carry_out(OPERATIONS, request)

    def _carry_out(self, operations: Operations, request: Request) -> Any:
        found = find(operations, request)
        if found:
            operation, ids = found
            return operation(self, request, *ids)
        unless(request.uri.startswith("/api/"), 404, 1, f"There is no {request.uri}")
        self._check_level(request)
        return self.pass_on(request)

    def _check_level(self, request: Request) -> None:
        level = _level(self.machine)
        more = "additional-properties=" in request.query and level < _LISTS_WITH_MORE
        unless(not more, 400, 1, "additional-properties: this HMC does not know it")
        features = request.uri.endswith("/operations/list-features") and level < _FEATURES
        unless(not features, 404, 1, f"There is no {request.uri}")

    def _pass_on(self, request: Request) -> Any:
        if request.method == "GET":
            return self.mock.get(request.target)
        if request.method == "DELETE":
            return self.mock.delete(request.target)
        return self.mock.post(request.target, body=request.body)


def _level(machine: Machine) -> tuple[int, ...]:
    return tuple(int(part) for part in machine.api_version.split("."))


def _status_of(request: Request, result: Any) -> tuple[int, Any]:
    if isinstance(result, Started):
        return 202, {"job-uri": result.job}
    return (204, None) if result is None else (200, result)
