"""However the agent is ended, it stays logged on nowhere, and waits for no HMC."""

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cloud import ini
from cloud.program import Program
from firstlight_dpm.mock import Served
from firstlight_dpm.mock.faults import Fault
from support.servers.databases import eventually

PATIENCE = 60  # seconds
ON, OFF = ("POST", "/api/sessions"), ("DELETE", "/api/sessions/this-session")


class Running:
    """The agent, as a process of its own, on a bus where nobody answers."""

    def __init__(self, served: Served, directory: Path) -> None:
        self._served = served
        mapped = f"red:{served.machine.id('osa-1')}"
        conf = ini.write(
            directory / "agent.conf",
            {
                "DEFAULT": {
                    "host": "sub1",
                    "transport_url": "fake:/",
                    "state_path": str(directory),
                },
                "AGENT": {"polling_interval": "1", "quitting_rpc_timeout": "1"},
                "dpm": {**served.options, "physical_network_adapter_mappings": mapped},
            },
        )
        module = (sys.executable, "-m", "firstlight_dpm.network.agent.main", "--config-file", conf)
        self.program = Program(module, directory, "agent", variables=os.environ)
        self.program.start()

    def asked(self, *request: str) -> int:
        """How often the HMC was."""
        return self._served.console.requests.count(request)

    def comes_to(self, happened: Callable[[], bool]) -> None:
        assert eventually(happened, PATIENCE), self.program.said()

    def ends(self, number: int) -> float:
        """Seconds it takes to end by this signal; it ends as it should."""
        began = time.monotonic()
        os.kill(self.program.pid, number)
        assert eventually(lambda: not self.program.runs(), PATIENCE)
        assert "Traceback" not in self.program.said(100_000)
        return time.monotonic() - began


@pytest.fixture
def agent(z13: Served, tmp_path: Path) -> Iterator[Running]:
    """Started."""
    running = Running(z13, tmp_path)
    try:
        yield running
    finally:
        running.program.kill()


def reads(agent: Running) -> None:
    """Wait until it reads the HMC at work, which is its second session."""
    agent.comes_to(lambda: agent.asked("POST", "/api/services/inventory") > 1)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_logged_off(agent: Running, number: int) -> None:
    """At a normal stop each session that it has begun has ended, as it has at an interrupt."""
    reads(agent)
    assert (agent.asked(*ON), agent.asked(*OFF)) == (2, 1)
    agent.ends(number)
    assert (agent.asked(*ON), agent.asked(*OFF)) == (2, 2)


def test_reloaded(agent: Running) -> None:
    """SIGHUP, by which oslo.service makes a new process that reads, leaves no session either."""
    reads(agent)
    os.kill(agent.program.pid, signal.SIGHUP)
    agent.comes_to(lambda: (agent.asked(*ON), agent.asked(*OFF)) == (3, 2))
    agent.ends(signal.SIGTERM)
    assert agent.asked(*OFF) == 3


@pytest.mark.parametrize("fault", [Fault(drop=True), Fault(delay=60)], ids=["away", "hangs"])
def test_hmc_away(agent: Running, z13: Served, fault: Fault) -> None:
    """An HMC that is away, or answers nothing, does not keep it."""
    reads(agent)
    z13.console.faults.add(fault)
    time.sleep(1.5)  # so that a reading has met it
    assert agent.ends(signal.SIGTERM) < 20
    assert agent.asked(*OFF) == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_while_it_starts(z13: Served, tmp_path: Path, number: int) -> None:
    """It may be ended while it asks what the machine has, too."""
    adapters = f"/api/cpcs/{z13.machine.cpc}/adapters.*"
    z13.console.faults.add(Fault(uri=adapters, delay=60))
    agent = Running(z13, tmp_path)
    try:
        agent.comes_to(lambda: agent.asked(*ON) == 1)
        time.sleep(0.5)  # the next request
        assert agent.ends(number) < 20
        assert agent.asked(*OFF) == 1
    finally:
        agent.program.kill()


def test_hmc_away_while_it_waits(z13: Served, tmp_path: Path) -> None:
    """An agent that waits for an HMC says so and ends at once; one that waited on starts."""
    z13.console.faults.add(Fault(drop=True))
    agent = Running(z13, tmp_path)
    try:
        agent.comes_to(lambda: "Trying again in 2 s" in agent.program.said())
        assert agent.ends(signal.SIGTERM) < 5
        agent.program.start()
        agent.comes_to(lambda: agent.program.said(100_000).count("Trying again in 1 s") == 2)
        z13.console.faults.clear()
        reads(agent)
    finally:
        agent.program.kill()
