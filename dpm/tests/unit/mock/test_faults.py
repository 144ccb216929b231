"""Faults strike the requests they are for, as often as they are told."""

import pytest

from firstlight_dpm.mock.faults import Dropped, Fault, Faults, fault
from firstlight_dpm.mock.refusal import Refusal


def test_a_fault_fits_whole_methods_and_uris():
    """Not a part of them."""
    one = Fault(method="POST", uri="/api/partitions/[^/]+/nics")
    assert one.fits("POST", "/api/partitions/1/nics")
    assert not one.fits("GET", "/api/partitions/1/nics")
    assert not one.fits("POST", "/api/partitions/1/nics/2")


def test_skip_and_times():
    """So many pass first, so many are struck, then all pass."""
    one = Fault(skip=1, times=2)
    assert [one.fits("GET", "/") for _ in range(5)] == [False, True, True, False, False]


def test_a_fault_without_times_stays_until_it_is_taken_away():
    """An outage has no end of its own."""
    faults = Faults()
    faults.add(Fault(drop=True))
    assert [len(faults.of("GET", "/")) for _ in range(3)] == [1, 1, 1]
    faults.clear()
    assert faults.of("GET", "/") == []


def test_what_is_used_up_is_not_shown():
    """GET /mock/faults lists what can still happen."""
    faults = Faults()
    faults.add(Fault(times=1))
    assert len(faults.all()) == 1
    faults.of("GET", "/")
    assert faults.all() == []


def test_drop_and_refuse():
    """A connection that ends, or an answer that says no."""
    with pytest.raises(Dropped):
        Fault(drop=True).strike()
    with pytest.raises(Refusal) as refused:
        Fault(status=503, reason=1, message="away").strike()
    assert (refused.value.status, refused.value.reason, refused.value.message) == (503, 1, "away")


def test_a_fault_of_the_job_lets_the_request_pass():
    """It strikes at the job's end."""
    Fault(status=500, job=True).strike()


@pytest.mark.parametrize(
    "description",
    [
        {"methods": "GET"},
        {"uri": "("},
        {"method": 1},
        {"delay": -1},
        {"delay": 601},
        {"delay": "long"},
        {"skip": -1},
        {"times": "twice"},
        {"status": "no"},
        {"drop": False, "status": 0, "delay": 0},
        {"uri": "/api/cpcs", "times": 1},
        {"job": True, "delay": 1},
        {},
        [],
    ],
)
def test_what_is_no_fault_is_refused(description):
    """HTTP 400, when it is injected, not when it strikes."""
    with pytest.raises(Refusal) as refused:
        fault(description)
    assert refused.value.status == 400


@pytest.mark.parametrize("field", ["method", "uri"])
def test_which_expression_is_wrong(field):
    """The refusal names it."""
    with pytest.raises(Refusal, match=f"A fault's {field} is no regular expression"):
        fault({field: "[", "drop": True})
