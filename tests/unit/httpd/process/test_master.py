"""What a master does at which time, with a process below it that says nothing by itself."""

import os
import socket
import subprocess
from collections.abc import Iterator
from time import monotonic

import pytest

from firstlight.httpd.process import handoff
from firstlight.httpd.process.heartbeat import Nap, Rhythm
from firstlight.httpd.process.master import Master
from firstlight.httpd.process.member import Member

WATCHDOG = {"WATCHDOG_USEC": "20000000"}  # half of it are 10 seconds


@pytest.fixture
def below() -> Iterator[subprocess.Popen[bytes]]:
    """A process that serves, for all that is known."""
    with subprocess.Popen(["sleep", "600"]) as started:
        yield started
        started.kill()


@pytest.fixture
def heard(tmp_path) -> Iterator[socket.socket]:
    """The service manager's ear."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.setblocking(False)
        yield manager


@pytest.mark.parametrize(
    ("silent", "well", "told"),
    [(1, True, True), (9.9, True, True), (10.1, True, False), (1, False, False)],
)
def test_the_watchdog(below, heard, silent, well, told):
    """It is told that all is well while all loops were heard of within half of its time."""
    master = Master({"NOTIFY_SOCKET": heard.getsockname(), **WATCHDOG})
    serving(master, below.pid, monotonic() - silent, well)
    master._look_after(monotonic())
    if told:
        assert heard.recv(100) == b"WATCHDOG=1"
    else:
        with pytest.raises(BlockingIOError):
            heard.recv(100)


def test_what_hangs_is_ended(below):
    """Without a service manager as well, after 15 seconds, and by force half a second later."""
    master = Master({})
    now = monotonic()
    serving(master, below.pid, now - 14.9, well=True)
    master._look_after(now)
    assert below.poll() is None
    master._look_after(now + 0.2)
    master._nap.begin(0.6)
    master._look_after(now + 0.8)
    assert below.wait(10) < 0


def test_a_machine_that_stood_still_ends_nothing(below):
    """Who wakes up an hour late grants the others the hour."""
    master = Master({})
    now = monotonic()
    serving(master, below.pid, now, well=True)
    master._nap.begin(5)
    master._look_after(now + 3600)
    assert below.poll() is None


def test_a_crash_during_a_reload_is_waited_out(below):
    """While another process is about to serve anyway, none is started and nothing spins."""
    master = Master({})
    now = monotonic()
    serving(master, below.pid, now, well=True)
    master._serving, master._coming = None, master._serving
    master._look_after(now)
    assert master._serving is None
    assert master._next(now) > now + 1


def serving(master: Master, pid: int, beaten: float, well: bool) -> None:
    """Have the master believe that this process serves."""
    one = Member(pid, -1, beaten)
    one.ready, one.well = True, well
    master._serving, master._served = one, True


def test_rhythm():
    """Half of what systemd asks of this process; of another one's wishes nothing is known."""
    assert Rhythm(WATCHDOG).silence == 10
    assert Rhythm(WATCHDOG | {"WATCHDOG_PID": "1"}).silence == 15
    assert Rhythm({}).beat == 5


def test_nap():
    """A second late is nothing."""
    nap = Nap()
    until = monotonic() + nap.begin(2)
    assert nap.overslept(until + 0.5) == 0
    assert nap.overslept(until + 7) == pytest.approx(7, abs=0.1)


def test_a_state_of_another_version():
    """A master of other code refuses it, so that it is found out in a trial."""
    descriptor = handoff.write({"kept": {}})
    text = os.pread(descriptor, 1000, 0)
    os.pwrite(descriptor, text.replace(b'"version": 1', b'"version": 2'), 0)
    with pytest.raises(ValueError, match="version 2"):
        handoff.read(descriptor)
