"""One table says what an HMC's refusal means."""

import pytest
import zhmcclient

from firstlight_dpm import errors
from firstlight_dpm.errors import Consequence, attempting


def refused(status: int, reason: int) -> zhmcclient.HTTPError:
    return zhmcclient.HTTPError(
        {"http-status": status, "reason": reason, "message": "no", "request-uri": "/api/x"}
    )


@pytest.mark.parametrize(
    ("status", "reason", "expected", "consequence"),
    [
        (400, 8, errors.NameTaken, Consequence.ELSEWHERE),
        (400, 7, errors.Invalid, Consequence.ABORT),
        (403, 1, errors.NotPermitted, Consequence.ELSEWHERE),
        (404, 1, errors.Gone, Consequence.GONE),
        (404, 2, errors.AdapterMissing, Consequence.ELSEWHERE),
        (404, 6, errors.AdapterMissing, Consequence.ELSEWHERE),
        (409, 1, errors.WrongStatus, Consequence.ELSEWHERE),
        (409, 2, errors.Busy, Consequence.LATER),
        (409, 6, errors.MachineDown, Consequence.LATER),
        (500, 0, errors.Refused, Consequence.ELSEWHERE),
        (503, 1, errors.Unreachable, Consequence.LATER),
    ],
)
def test_an_answer_s_meaning(status, reason, expected, consequence):
    """Status and reason decide; what was attempted, and what was said, are in the text."""
    with pytest.raises(errors.HmcError) as caught, attempting("making a NIC"):
        raise refused(status, reason)
    assert type(caught.value) is expected
    assert caught.value.consequence is consequence
    assert f"making a NIC: no (HTTP {status}, reason {reason})" in str(caught.value)
    assert isinstance(caught.value.__cause__, zhmcclient.HTTPError)


@pytest.mark.parametrize(
    ("raised", "expected"),
    [
        (zhmcclient.CeasedExistence("/api/partitions/1"), errors.Gone),
        (zhmcclient.NotFound({"name": "x"}, None, message="none"), errors.Gone),
        (zhmcclient.ConnectionError("away", None), errors.Unreachable),
        (zhmcclient.ReadTimeout("slow", None, 1, 1), errors.Unreachable),
        (zhmcclient.ConnectionError("CERTIFICATE_VERIFY_FAILED", None), errors.NotTrusted),
        (zhmcclient.ServerAuthError("no", refused(403, 0)), errors.NotLoggedOn),
        (zhmcclient.ClientAuthError("no"), errors.NotLoggedOn),
        (zhmcclient.OperationTimeout("late", 1), errors.TooLate),
        (zhmcclient.StatusTimeout("late", "starting", ["active"], 1), errors.TooLate),
        (zhmcclient.ParseError("line 1 column 1: what"), errors.BadAnswer),
    ],
)
def test_an_exception_s_meaning(raised, expected):
    """zhmcclient's exceptions without a status have their own rows."""
    with pytest.raises(expected, match="reading it"), attempting("reading it"):
        raise raised


def test_other_exceptions_pass():
    """A defect of ours does not look like one of the HMC's."""
    with pytest.raises(KeyError), attempting("anything"):
        raise KeyError("ours")


def test_advice_says_what_to_do():
    """Whose fault it is, and what to change, end the sentence."""
    said = str(errors.translated("logging on", zhmcclient.ConnectionError("away", None)))
    assert said.startswith("logging on: away; ")
    assert "[dpm] hmc" in said
