"""The mock's console without a network, and a clock that moves when told."""

from collections.abc import Callable
from typing import Any

import pytest

from firstlight_dpm.mock.console import Console
from firstlight_dpm.mock.machine import MACHINES
from firstlight_dpm.mock.request import Request


class Clock:
    """Seconds, as many as a test wants."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


class Asked:
    """A console, somebody who has logged on, and a partition."""

    def __init__(self, machine: str, clock: Clock, job_seconds: float) -> None:
        self.clock = clock
        self.console = Console(
            MACHINES[machine], username="u", password="p", job_seconds=job_seconds, clock=clock
        )
        body = {"userid": "u", "password": "p"}
        logon = self.console.answer(Request("POST", "/api/sessions", "", body), None)
        self.session = logon[1]["api-session"]

    def ask(self, method: str, uri: str, body: Any = None) -> tuple[int, Any]:
        """Status and body of an answer; raises Refusal."""
        path, _, query = uri.partition("?")
        request = Request(method, path, query, body or {})
        request.faults = self.console.faults_for(request)
        return self.console.answer(request, self.session)

    def partition(self, name: str = "p") -> str:
        """A new partition's URI."""
        body = {"name": name, "ifl-processors": 1, "initial-memory": 512, "maximum-memory": 512}
        uri = f"/api/cpcs/{self.console.machine.cpc}/partitions"
        return self.ask("POST", uri, body)[1]["object-uri"]

    def status(self, partition: str) -> str:
        """The partition's."""
        return self.ask("GET", partition)[1]["status"]


@pytest.fixture
def asked() -> Callable[..., Asked]:
    """Makes consoles with jobs of ten seconds."""

    def make(machine: str = "z13", job_seconds: float = 10) -> Asked:
        return Asked(machine, Clock(), job_seconds)

    return make
