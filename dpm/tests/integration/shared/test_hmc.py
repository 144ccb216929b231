"""Sessions with a served HMC: one for each thread, several HMCs, outages, and no password told."""

import logging
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
import zhmcclient

from firstlight_dpm.errors import (
    Gone,
    NotLoggedOn,
    NotTrusted,
    TooLate,
    Unreachable,
    WrongName,
    attempting,
)
from firstlight_dpm.hmc import Features, Hmc, features
from firstlight_dpm.mock import MACHINES, Served, serve
from firstlight_dpm.mock.faults import Fault
from served_hmc import login


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    """A z16 whose jobs end at once."""
    with serve("z16", tmp_path) as served:
        yield served


@pytest.fixture
def hmc(served: Served) -> Iterator[Hmc]:
    """Its console, logged off in the end."""
    hmc = Hmc(login(served))
    yield hmc
    served.console.faults.clear()
    hmc.close()


def logons(served: Served) -> int:
    return served.console.requests.count(("POST", "/api/sessions"))


def logged_off(served: Served) -> int:
    return served.console.requests.count(("DELETE", "/api/sessions/this-session"))


def inject(hmc: Hmc, **fault: object) -> None:
    hmc.client().session.post("/mock/faults", body=fault)


def partition_of(hmc: Hmc) -> zhmcclient.Partition:
    sizes = {"ifl-processors": 1, "initial-memory": 1024, "maximum-memory": 1024}
    return hmc.cpc().partitions.create({"name": "p", **sizes})


def test_making_one_asks_nothing(served):
    """Nova builds its driver before there is a network."""
    Hmc(login(served)).cpc()
    assert served.console.requests == []


def test_a_thread_keeps_its_session(hmc, served):
    """One logon, however often it asks."""
    for _ in range(3):
        hmc.find_cpc()
    assert hmc.client() is hmc.client()
    assert logons(served) == 1


def test_each_thread_has_its_own_session(hmc, served):
    """zhmcclient's are for one thread at a time."""
    clients = [hmc.client()]
    thread = threading.Thread(target=lambda: clients.append(hmc.client()))
    thread.start()
    thread.join()
    assert clients[0] is not clients[1]
    assert clients[0].session is not clients[1].session


def test_many_threads_at_once(hmc, served):
    """Nothing of one answer shows up in another."""
    partitions = [
        hmc.cpc().partitions.create(
            {"name": f"p{n}", "ifl-processors": 1, "initial-memory": 1024, "maximum-memory": 1024}
        )
        for n in range(6)
    ]
    wrong: list[str] = []

    def read(uri: str, name: str) -> None:
        mine = hmc.cpc().partitions.resource_object(uri)
        for _ in range(20):
            mine.pull_full_properties()
            if mine.get_property("name") != name:
                wrong.append(name)

    threads = [threading.Thread(target=read, args=(one.uri, one.name)) for one in partitions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert logons(served) == 7


def test_ended_threads_are_logged_off(hmc, served):
    """When the next thread comes, not only when the service ends."""

    def ask() -> None:
        hmc.find_cpc()

    for _ in range(3):
        thread = threading.Thread(target=ask)
        thread.start()
        thread.join()
    hmc.find_cpc()
    assert logged_off(served) == 3


def ended_threads(hmc: Hmc, number: int = 4) -> None:
    """That many threads have asked something at a time, and ended."""
    together = threading.Barrier(number)

    def ask() -> None:
        hmc.find_cpc()
        together.wait()

    threads = [threading.Thread(target=ask) for _ in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_an_hmc_that_is_away_is_asked_once_to_log_off(served):
    """Ending does not take longer with every session; they expire on the HMC."""
    hmc = Hmc(login(served))
    ended_threads(hmc)
    fault = Fault(uri="/api/sessions/this-session", drop=True, times=100)
    served.console.faults.add(fault)
    hmc.close()
    assert fault.times == 99


@contextmanager
def two_hmcs(served: Served, directory: Path) -> Iterator[tuple[Served, Hmc]]:
    """A second HMC of the machine, and who has found the machine there, knowing of both."""
    (directory / "b").mkdir()
    with serve("z16", directory / "b", host="127.0.0.2", port=served.port) as second:
        trusted = directory / "both.pem"
        trusted.write_text(served.ca_file.read_text() + second.ca_file.read_text())
        hmc = Hmc(login(served, hosts=(second.host, served.host), verify=str(trusted), retries=0))
        hmc.find_cpc()
        yield second, hmc


def test_each_hmc_is_asked_to_log_off(served, tmp_path):
    """That one is away keeps no session open on the other."""
    with two_hmcs(served, tmp_path) as (second, hmc):
        second.console.faults.add(Fault(drop=True))
        ended_threads(hmc, 1)
        hmc.close()
    assert logged_off(served) == 1


def test_nobody_waits_long_for_others_to_be_logged_off(served):
    """An HMC that hangs keeps a thread that begins for a moment, not for each thread that ended."""
    hmc = Hmc(login(served, logoff_timeout=0.3))
    ended_threads(hmc)
    served.console.faults.add(Fault(uri="/api/sessions/this-session", delay=20))
    begun = time.monotonic()
    hmc.find_cpc()
    hmc.close()
    assert time.monotonic() - begun < 5


def test_no_connection_is_waited_for_twice_to_log_off(tmp_path):
    """A node that drops what is sent to it, as one without power does, is tried once, and soon."""
    with serve("z16", tmp_path) as served:
        hmc = Hmc(login(served, logoff_timeout=0.3, connect_timeout=3))
        ended_threads(hmc)
    with deaf(served.port):
        begun = time.monotonic()
        hmc.close()
        assert 0.2 < time.monotonic() - begun < 1


@contextmanager
def deaf(port: int) -> Iterator[None]:
    """A port whose queue of connections is full, so that Linux drops the next ones."""
    with socket.socket() as listening, ExitStack() as waiting:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(("127.0.0.1", port))
        listening.listen(0)
        for _ in range(3):
            one = waiting.enter_context(socket.socket())
            one.setblocking(False)
            one.connect_ex(("127.0.0.1", port))
        yield


def test_closing_logs_everybody_off_and_can_be_begun_again(hmc, served):
    """Once for each session, without harm the second time."""
    hmc.find_cpc()
    hmc.close()
    hmc.close()
    assert logged_off(served) == 1
    assert hmc.find_cpc().name == "Z16"


def test_the_second_hmc_is_asked_when_the_first_is_away(served):
    """[dpm] hmc names several; the first that answers is used."""
    hmc = Hmc(login(served, hosts=("127.0.0.2", served.host)))
    assert hmc.find_cpc().name == "Z16"
    hmc.close()


def test_another_hmc_takes_over_when_the_first_is_lost(served, tmp_path):
    """The request that met the loss fails; the next one is answered by the other HMC."""
    with two_hmcs(served, tmp_path) as (second, hmc):
        assert logons(served) == 0
        second.console.faults.add(Fault(drop=True))
        with pytest.raises(Unreachable):
            hmc.find_cpc()
        assert hmc.find_cpc().name == "Z16"
        assert logons(served) == 1
        hmc.close()


def test_nobody_answers(served):
    """Unreachable, with what to look at."""
    with socket.socket() as taken:  # and nobody listens
        taken.bind(("127.0.0.1", 0))
        hmc = Hmc(login(served, port=taken.getsockname()[1]))
        with pytest.raises(Unreachable, match=r"looking for the machine .*see that \[dpm\] hmc"):
            hmc.find_cpc()


def test_a_certificate_that_is_not_trusted(served):
    """Says which option to set, and nothing was sent."""
    hmc = Hmc(login(served, verify=True))
    with pytest.raises(NotTrusted, match="hmc_ca_file"):
        hmc.find_cpc()
    assert served.console.requests == []


def test_verification_can_be_switched_off(served, caplog):
    """By the operator, with one warning, not one for each request."""
    hmc = Hmc(login(served, verify=False))
    assert hmc.find_cpc().name == "Z16"
    hmc.close()
    (warning,) = (one.getMessage() for one in caplog.records if one.levelname == "WARNING")
    assert "hmc_verify is off" in warning


def test_a_wrong_password_is_not_told(served, caplog):
    """Neither the error nor a debug log has it."""
    caplog.set_level(logging.DEBUG)
    hmc = Hmc(login(served, password="s3cret-and-wrong"))
    with pytest.raises(NotLoggedOn) as caught:
        hmc.find_cpc()
    assert "s3cret" not in str(caught.value)
    assert "s3cret" not in caplog.text


def test_a_machine_that_the_hmc_does_not_manage(served):
    """Gone, and the option that is wrong."""
    hmc = Hmc(login(served, cpc="3f1c4a0e-7c2d-11e6-8b77-0242ac130004"))
    with pytest.raises(Gone, match="cpc_object_id"):
        hmc.find_cpc()
    hmc.close()


def test_a_request_that_changes_something_is_not_repeated(hmc):
    """Its connection broke: nobody knows whether it was done, so nobody does it twice."""
    hmc.find_cpc()
    inject(hmc, method="POST", uri=".*/partitions", drop=True, times=1)
    with pytest.raises(Unreachable), attempting("making a partition"):
        partition_of(hmc)
    assert hmc.cpc().partitions.list() == []


def test_a_session_that_expired_is_renewed(hmc, served):
    """The HMC forgets sessions when it restarts."""
    hmc.find_cpc()
    served.console.forget_sessions()
    assert hmc.find_cpc().name == "Z16"
    assert logons(served) == 2


def test_a_job_is_waited_for(tmp_path):
    """Starting returns when the partition runs, soon after the job has ended."""
    with serve("z13", tmp_path, job_seconds=0.3) as served:
        hmc = Hmc(login(served))
        partition = partition_of(hmc)
        partition.start()
        assert partition.get_property("status") == "active"
        hmc.close()


def test_a_job_that_does_not_end(tmp_path):
    """TooLate after hmc_operation_timeout, and what to raise."""
    with serve("z13", tmp_path, job_seconds=3600) as served:
        hmc = Hmc(login(served, operation_timeout=1))
        partition = partition_of(hmc)
        with pytest.raises(TooLate, match="hmc_operation_timeout"), attempting("starting p"):
            partition.start()
        hmc.close()


def test_a_job_goes_on_while_the_hmc_is_away(tmp_path):
    """Looking at it fails a few times; then it has ended."""
    with serve("z13", tmp_path, job_seconds=0.2) as served:
        hmc = Hmc(login(served))
        partition = partition_of(hmc)
        inject(hmc, uri="/api/jobs/.*", drop=True, times=8)
        partition.start()
        assert partition.get_property("status") == "active"
        assert served.console.faults.all() == []
        hmc.close()


def test_a_job_that_is_gone_has_ended(hmc):
    """Its end was answered to a connection that broke; the partition's status tells the rest."""
    partition = partition_of(hmc)
    inject(hmc, method="GET", uri="/api/jobs/.*", times=1, status=404, reason=1)
    partition.start()
    assert partition.get_property("status") == "active"


def test_a_job_s_failure_is_the_hmc_s_answer(hmc):
    """With its status, reason and message."""
    partition = partition_of(hmc)
    inject(hmc, uri=".*/start", job=True, status=500, reason=263, message="no power")
    with pytest.raises(zhmcclient.HTTPError, match="no power") as caught:
        partition.start()
    assert (caught.value.http_status, caught.value.reason) == (500, 263)


@pytest.mark.parametrize(
    ("machine", "expected"),
    [
        ("z13", Features(False, False, False, False)),
        ("z14", Features(True, False, True, True)),
        ("z16", Features(True, False, True, True)),
        ("z17", Features(True, True, True, True)),
    ],
)
def test_features(machine, expected, tmp_path):
    """What differs between generations, asked of the machine."""
    assert machine in MACHINES
    with serve(machine, tmp_path) as served:
        hmc = Hmc(login(served))
        assert features(hmc.find_cpc()) == expected
        hmc.close()


def test_a_certificate_for_another_name(served):
    """The authority is right, and the error does not say otherwise."""
    hmc = Hmc(login(served, hosts=("127.1",)))
    with pytest.raises(WrongName, match=r"set \[dpm\] hmc to a name") as caught:
        hmc.find_cpc()
    assert "hmc_ca_file" not in str(caught.value)
