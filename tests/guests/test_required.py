"""Guests whose required target is away: held, sent away if they come back, let in if they would
give up; never with half of their data."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from guests.asking import ask
from guests.booting import PROMISED, CloudInit, boot, booting, cloud_init, newest
from guests.cloud import WAYS, Cloud, Process, cloud
from guests.net import network
from support.servers.databases import eventually

HERE = Path(__file__).parent
_FIRSTLIGHT = Path(sys.executable).parent / "firstlight"
_WAYS = (*WAYS, "agent")
_OPTIONS = """
[firstlight]
vendordata_hold = {hold}
vendordata_retry_after = {retry_after}
vendordata_error_after = {error_after}

[vendordata_target:mlnx_sriov]
required = true
# So that each boot finds the target as it is.
ttl = 0
breaker_failures = 0
"""
_VENDOR = "GET /openstack/2018-08-27/vendor_data2.json"


@pytest.fixture(scope="module", params=_WAYS)
def way(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module", params=["bookworm", "sid"])
def debian(request: pytest.FixtureRequest) -> CloudInit:
    """The oldest and the newest cloud-init."""
    return cloud_init(request.param)


@pytest.fixture(scope="module")
def patient(way: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """A cloud that holds its guests for as long as it may."""
    more = _OPTIONS.format(hold=8.5, retry_after=0, error_after=0)
    with network() as net, cloud(net, way, tmp_path_factory.mktemp("patient"), more) as running:
        yield running


@pytest.fixture(scope="module")
def strict(way: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """A cloud that holds them for a second, and gives up on a server after three."""
    more = _OPTIONS.format(hold=1, retry_after=1, error_after=3)
    with network() as net, cloud(net, way, tmp_path_factory.mktemp("strict"), more) as running:
        yield running


@pytest.fixture
def behind_a_stock_agent(tmp_path: Path) -> Iterator[Cloud]:
    """The strict cloud, whose guests' programs are not named to the metadata service."""
    home = tmp_path / "cloud"
    home.mkdir()
    more = _OPTIONS.format(hold=1, retry_after=1, error_after=0)
    with network() as net, cloud(net, "stock", home, more) as running:
        yield running


def target(at: Cloud) -> Process:
    """The target that is required; it is not started."""
    command = at.net.service.command(sys.executable, HERE / "late_target.py")
    return Process(command, at.home / "target.log", at.net.service, ("127.0.0.1", 9091))


def failures(at: Cloud) -> int:
    """How often the service has missed the target."""
    return at.metadata.log.read_text().count("vendordata target mlnx_sriov")


def shown(at: Cloud) -> str:
    """What an operator sees of the server."""
    command = [_FIRSTLIGHT, "instance", "show", "first light"]
    conf = ["--config-file", str(at.home / "metadata.conf")]
    done = subprocess.run([*command, *conf], capture_output=True, text=True, check=True)
    return done.stdout


def test_held_until_the_target_answers(patient: Cloud, debian: CloudInit, tmp_path: Path) -> None:
    """A target that comes late, and the boot knows nothing of it: no error, nothing missing."""
    patient.asked()
    late, before = target(patient), failures(patient)
    with booting(patient.net.guest, debian, "OpenStack", tmp_path) as begun:
        try:
            assert eventually(lambda: failures(patient) > before, 60)
            late.start()
            learned = begun.learned()
        finally:
            late.stop()
    assert learned["found"], learned["why"]
    asked = patient.asked()
    assert f"{_VENDOR} 200" in asked
    assert [line for line in asked if line.endswith((" 500", " 503"))] == []


@pytest.mark.parametrize("way", [*_WAYS, "proxy"], indirect=True, scope="module")
def test_a_target_that_stays_away(strict: Cloud, debian: CloudInit, tmp_path: Path) -> None:
    """22.4, which a 503 would turn away for good, never gets one for /openstack: it boots without
    vendor data, and the server is set to ERROR. The newest waits until the target is there."""
    strict.asked()
    comes_back = debian.number >= (25, 1)
    late = target(strict)
    with booting(strict.net.guest, debian, "OpenStack", tmp_path) as begun:
        try:
            if comes_back:
                assert eventually(lambda: "sent away" in strict.metadata.log.read_text(), 60)
                late.start()
            learned = begun.learned()
        finally:
            late.stop()
    assert learned["found"], learned["why"]
    asked = strict.asked()
    assert f"Cloud-Init/{debian.version}" in (strict.home / "access.log").read_text()
    assert ("GET /openstack 503" in asked) is comes_back
    assert (f"{_VENDOR} 200" in asked) is comes_back
    assert not any("meta_data.json 503" in line for line in asked)
    if not comes_back:
        assert f"{_VENDOR} 503" in asked
        reason = "required target mlnx_sriov"
        assert eventually(lambda: reason in shown(strict), 60)
        assert shown(strict).startswith("# ERROR since ")


@pytest.mark.parametrize("way", ["agent", "proxy"], indirect=True, scope="module")
def test_when_to_come_back(strict: Cloud) -> None:
    """Who waits is told for how long, and who would give up is let in, by the name they give."""
    told = {
        name: strict.net.guest.call(ask, "GET", "/openstack", agent=f"Cloud-Init/{name}")
        for name in ("22.4.2", "25.1")
    }
    assert told["22.4.2"].status == 200
    assert (told["25.1"].status, told["25.1"].headers["retry-after"]) == (503, "1")


def test_with_the_target_there_nobody_waits(strict: Cloud, tmp_path: Path) -> None:
    """The same cloud, and everything is as usual: the target is asked once in the whole boot."""
    there = target(strict)
    there.log.unlink(missing_ok=True)
    there.start()
    try:
        strict.asked()
        learned = boot(strict.net.guest, cloud_init(PROMISED), "OpenStack", tmp_path)
    finally:
        there.stop()
    assert learned["found"], learned["why"]
    asked = strict.asked()
    assert [line for line in asked if line.endswith((" 500", " 503"))] == []
    assert f"{_VENDOR} 200" in asked
    assert there.log.read_text().count("POST") == 1


def test_behind_a_stock_agent_nobody_is_sent_away(
    behind_a_stock_agent: Cloud, tmp_path: Path
) -> None:
    """Who asks is not known there: even a program that would come back is let in after the hold."""
    at = behind_a_stock_agent
    late, log = target(at), at.home / "access.log"
    with booting(at.net.guest, newest(), "OpenStack", tmp_path) as begun:
        try:
            assert eventually(lambda: '"GET /openstack" 200' in log.read_text(), 60)
            late.start()
            learned = begun.learned()
        finally:
            late.stop()
    assert learned["found"], learned["why"]
    asked = at.asked()
    assert "GET /openstack 503" not in asked
    assert f"{_VENDOR} 200" in asked
    assert "python-requests/" in log.read_text()
    assert "Cloud-Init/" not in log.read_text()
