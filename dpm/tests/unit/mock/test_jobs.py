"""Jobs take their time, and partitions pass through the statuses in between."""

import pytest

from firstlight_dpm.mock.refusal import Refusal


def test_starting_until_the_job_ends(asked):
    """``starting`` for as long as the job runs, then ``active``."""
    hmc = asked()
    partition = hmc.partition()
    status, answer = hmc.ask("POST", f"{partition}/operations/start")
    assert (status, hmc.status(partition)) == (202, "starting")
    assert hmc.ask("GET", answer["job-uri"])[1] == {"status": "running"}
    hmc.clock.now = 9.9
    assert hmc.status(partition) == "starting"
    hmc.clock.now = 10
    assert hmc.status(partition) == "active"
    assert hmc.ask("GET", answer["job-uri"])[1]["job-status-code"] == 204


def test_stopping_until_the_job_ends(asked):
    """``stopping``, then ``stopped``."""
    hmc = asked()
    partition = hmc.partition()
    hmc.ask("POST", f"{partition}/operations/start")
    hmc.clock.now = 10
    hmc.ask("POST", f"{partition}/operations/stop")
    assert hmc.status(partition) == "stopping"
    hmc.clock.now = 20
    assert hmc.status(partition) == "stopped"


def test_a_job_goes_once_it_has_ended(asked):
    """It cannot be deleted before, and is not there afterwards."""
    hmc = asked()
    job = hmc.ask("POST", f"{hmc.partition()}/operations/start")[1]["job-uri"]
    with pytest.raises(Refusal) as early:
        hmc.ask("DELETE", job)
    assert (early.value.status, early.value.reason) == (409, 40)
    hmc.clock.now = 10
    assert hmc.ask("DELETE", job)[0] == 204
    with pytest.raises(Refusal) as late:
        hmc.ask("GET", job)
    assert (late.value.status, late.value.reason) == (404, 1)


@pytest.mark.parametrize("operation", ["operations/start", "operations/stop", "nics", "hbas", ""])
def test_a_partition_in_between_takes_no_changes(asked, operation):
    """HTTP 409, reason 1, until the job has ended."""
    hmc = asked()
    partition = hmc.partition()
    hmc.ask("POST", f"{partition}/operations/start")
    with pytest.raises(Refusal) as refused:
        hmc.ask("POST", f"{partition}/{operation}".rstrip("/"), body_for(hmc, operation))
    assert (refused.value.status, refused.value.reason) == (409, 1)


def body_for(hmc, operation: str) -> dict[str, str]:
    machine = hmc.console.machine
    fcp = machine.id("fcp-1")
    switch = machine.id("osa-1/0/virtual-switch")
    return {
        "nics": {"name": "n", "virtual-switch-uri": f"/api/virtual-switches/{switch}"},
        "hbas": {"name": "h", "adapter-port-uri": f"/api/adapters/{fcp}/storage-ports/0"},
        "": {"description": "changed"},
    }.get(operation, {})


def test_a_job_can_fail(asked):
    """The partition is as before, and the job says why."""
    hmc = asked()
    partition = hmc.partition()
    fault = {"uri": ".*/start", "job": True, "status": 500, "reason": 263, "message": "no power"}
    hmc.ask("POST", "/mock/faults", fault)
    job = hmc.ask("POST", f"{partition}/operations/start")[1]["job-uri"]
    hmc.clock.now = 10
    ended = hmc.ask("GET", job)[1]
    assert (ended["job-status-code"], ended["job-reason-code"]) == (500, 263)
    assert ended["job-results"] == {"message": "no power"}
    assert hmc.status(partition) == "stopped"


def test_no_more_memory_than_there_is(asked):
    """Starting fails where the running partitions already have it, as on a machine."""
    hmc = asked(job_seconds=0)
    everything = hmc.console.resource(f"/api/cpcs/{hmc.console.machine.cpc}").properties
    first, second = hmc.partition("a"), hmc.partition("b")
    hmc.ask("POST", first, {"maximum-memory": everything["storage-customer"]})
    hmc.ask("POST", first, {"initial-memory": everything["storage-customer"]})
    hmc.ask("POST", f"{first}/operations/start")
    job = hmc.ask("POST", f"{second}/operations/start")[1]["job-uri"]
    assert hmc.ask("GET", job)[1]["job-status-code"] == 409
    assert (hmc.status(first), hmc.status(second)) == ("active", "stopped")


@pytest.mark.parametrize(
    "status", ["active", "paused", "terminated", "degraded", "reservation-error"]
)
def test_what_can_be_stopped(asked, status):
    """Also the two that run with something missing, else nothing would end them."""
    hmc = asked(job_seconds=0)
    partition = hmc.partition()
    hmc.ask("POST", "/mock/properties", {"uri": partition, "properties": {"status": status}})
    hmc.ask("POST", f"{partition}/operations/stop")
    assert hmc.status(partition) == "stopped"


@pytest.mark.parametrize("status", ["stopped", "status-check", "communications-not-active"])
def test_what_cannot_be_stopped(asked, status):
    """HTTP 409, reason 1, and the status stays."""
    hmc = asked()
    partition = hmc.partition()
    hmc.ask("POST", "/mock/properties", {"uri": partition, "properties": {"status": status}})
    with pytest.raises(Refusal) as refused:
        hmc.ask("POST", f"{partition}/operations/stop")
    assert (refused.value.status, refused.value.reason) == (409, 1)
    assert hmc.status(partition) == status
