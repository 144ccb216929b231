"""What is known stays known while the HMC cannot tell."""

import logging
import threading

import pytest

from firstlight_dpm.backing import Backing
from firstlight_dpm.errors import Unreachable
from firstlight_dpm.network.agent.nics import Nic, Nics
from firstlight_dpm.network.agent.watch import Watch

NIC = Nic("/api/partitions/p/nics/n", Backing("3f1c4a0e-7c2d-11e6-8b77-0242ac130004"))


class Hmc:
    """Answers what it is told to."""

    def __init__(self) -> None:
        self.answer: Nics | Exception = {}
        self.asked: list[Nics] = []
        self.thread: str | None = None
        self.left: list[str] = []

    def leave(self) -> None:
        self.left.append(threading.current_thread().name)

    def read(self, known: Nics) -> Nics:
        self.asked.append(known)
        self.thread = threading.current_thread().name
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@pytest.fixture
def hmc() -> Hmc:
    return Hmc()


@pytest.fixture
def watch(hmc: Hmc) -> Watch:
    return Watch(hmc.read, 0.001, hmc.leave)


def test_what_was_read_is_known(hmc: Hmc, watch: Watch) -> None:
    """Nothing at first; then what the HMC says, which it is asked with."""
    assert watch.known() == {}
    hmc.answer = {"port": NIC}
    watch.look()
    assert watch.known() == {"port": NIC}
    hmc.answer = {}
    watch.look()
    assert watch.known() == {}
    assert hmc.asked == [{}, {"port": NIC}]


def test_an_outage(hmc: Hmc, watch: Watch, caplog: pytest.LogCaptureFixture) -> None:
    """An HMC that is away takes nothing away, and is told of once; its return, too."""
    caplog.set_level(logging.INFO)
    hmc.answer = {"port": NIC}
    watch.look()
    hmc.answer = Unreachable("reading", "connection refused")
    for _ in range(3):
        watch.look()
    assert watch.known() == {"port": NIC}
    hmc.answer = {}
    watch.look()
    assert watch.known() == {}
    said = [record.getMessage() for record in caplog.records]
    assert len(said) == 2
    assert said[0].startswith("reading: connection refused")
    assert said[0].endswith("Ports stay as they are until the HMC tells more")
    assert said[1].startswith("The HMC tells again, after ")


def test_a_thread_of_its_own(hmc: Hmc, watch: Watch) -> None:
    """It reads again and again beside whoever asks what is known, until it is stopped."""
    several = threading.Event()
    hmc.answer = {"port": NIC}
    read = hmc.read

    def counted(known: Nics) -> Nics:
        if len(hmc.asked) >= 3:
            several.set()
        return read(known)

    watch = Watch(counted, 0.001, hmc.leave)
    watch.start()
    assert several.wait(30)
    watch.stop()
    assert watch.wait(30)
    assert watch.known() == {"port": NIC}
    assert hmc.left == [hmc.thread] == ["hmc-watch"]


def test_an_hmc_that_hangs(hmc: Hmc) -> None:
    """Nobody waits for an HMC that takes its time: not who asks what is known, not the end."""
    asked, answers = threading.Event(), threading.Event()

    def hanging(known: Nics) -> Nics:
        asked.set()
        answers.wait(60)
        return hmc.read(known)

    watch = Watch(hanging, 0.001, hmc.leave)
    watch.start()
    assert asked.wait(30)
    assert watch.known() == {}
    watch.stop()
    assert not watch.wait(0.01)
    assert hmc.asked == hmc.left == []
    answers.set()
    assert watch.wait(30)


def test_a_mistake_of_ours(hmc: Hmc, watch: Watch, caplog: pytest.LogCaptureFixture) -> None:
    """What nobody thought of is logged with its traceback, and does not end the watch."""
    again = threading.Event()

    def broken(known: Nics) -> Nics:
        if hmc.asked:
            again.set()
        hmc.asked.append(known)
        raise ZeroDivisionError

    watch = Watch(broken, 0.001, hmc.leave)
    watch.start()
    assert again.wait(30)
    watch.stop()
    assert "Reading the HMC broke" in caplog.text
    assert "ZeroDivisionError" in caplog.text
