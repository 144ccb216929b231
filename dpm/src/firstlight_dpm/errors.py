"""What can go wrong with the HMC, in one table, for Nova's and Neutron's sides.

Each error says what was being attempted, what the HMC said, and what to do; its `consequence` says
what a service makes of it. zhmcclient's own exceptions stop at `attempting`.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum

import zhmcclient


class Consequence(Enum):
    """What Nova or Neutron should do about an error."""

    ELSEWHERE = "another host may do better: reschedule"
    ABORT = "no host does better: stop, and tell who asked"
    GONE = "what was to be changed is not there"
    LATER = "the HMC cannot tell now: keep what is known, ask again"


class HmcError(Exception):
    """Something on the HMC did not happen."""

    consequence = Consequence.ELSEWHERE
    advice = ""

    def __init__(self, attempt: str, said: str) -> None:
        text = f"{attempt}: {said}"
        super().__init__(f"{text}; {self.advice}" if self.advice else text)
        self.attempt = attempt
        self.said = said


class Refused(HmcError):
    """The HMC refused, for a reason that has no class of its own."""


class Unreachable(HmcError):
    """No HMC answered, or it stopped answering; nothing is known about what was attempted."""

    consequence = Consequence.LATER
    advice = "see that [dpm] hmc and hmc_port name an HMC that is up and reachable from this node"


class MachineDown(Unreachable):
    """The HMC answers, but its machine does not, or has no power."""

    advice = "see the machine's status on the HMC"


class NotShown(Unreachable):
    """The HMC answers, and shows no such machine; that may be an error, or only for now."""

    advice = "see [dpm] cpc_object_id, and that the HMC's user may see that machine"


class NotTrusted(HmcError):
    """The HMC's certificate is not one that this node trusts."""

    advice = "set [dpm] hmc_ca_file to the authority of the HMC's certificate"


class WrongName(NotTrusted):
    """The HMC's certificate is for other names than the one by which it was asked."""

    advice = "set [dpm] hmc to a name that the HMC's certificate has"


class NotLoggedOn(HmcError):
    """The HMC does not know this user or password."""

    advice = "see [dpm] hmc_username and hmc_password, and that the user may use the API"


class NotPermitted(HmcError):
    """The HMC's user may not do this, or not see the object."""

    advice = "give the HMC's user the permissions that docs/dpm/install.md lists"


class Gone(HmcError):
    """The object does not exist, or no longer does."""

    consequence = Consequence.GONE


class AdapterMissing(HmcError):
    """The adapter, port or virtual switch that was named does not exist."""

    advice = "see the adapter mappings in [dpm] against the machine's adapters"


class Invalid(HmcError):
    """The HMC does not take a value, or a field, that it was sent."""

    consequence = Consequence.ABORT


class NameTaken(HmcError):
    """An object of that name exists already."""


class WrongStatus(HmcError):
    """The object's status does not allow it."""


class Busy(HmcError):
    """The object, or the machine, is being worked on by somebody else."""

    consequence = Consequence.LATER


class TooLate(HmcError):
    """The HMC's job, or the status after it, did not come in time; it may still come."""

    advice = "if it is only slow, raise [dpm] hmc_operation_timeout or hmc_status_timeout"


class BadAnswer(HmcError):
    """The HMC's answer cannot be understood."""


#: (HTTP status, reason) of the Web Services API; a reason of None stands for all others.
_ANSWERS: dict[tuple[int, int | None], type[HmcError]] = {
    (400, 8): NameTaken,
    (400, None): Invalid,
    (403, 0): NotLoggedOn,
    (403, None): NotPermitted,
    (404, 1): Gone,
    (404, 2): AdapterMissing,
    (404, 6): AdapterMissing,
    (404, None): Gone,
    (409, 1): WrongStatus,
    (409, 2): Busy,
    (409, 6): MachineDown,
    (409, None): WrongStatus,
    (503, None): Unreachable,
}

#: zhmcclient's exceptions that carry no HTTP status; the first that fits.
_EXCEPTIONS: tuple[tuple[type[Exception], type[HmcError]], ...] = (
    (zhmcclient.AuthError, NotLoggedOn),
    (zhmcclient.ConnectionError, Unreachable),
    (zhmcclient.CeasedExistence, Gone),
    (zhmcclient.NotFound, Gone),
    (zhmcclient.NoUniqueMatch, NameTaken),
    (zhmcclient.OperationTimeout, TooLate),
    (zhmcclient.StatusTimeout, TooLate),
    (zhmcclient.ParseError, BadAnswer),
)


#: As OpenSSL and Python say it of names and of addresses.
_MISMATCH = re.compile("hostname mismatch|address mismatch|doesn't match", re.IGNORECASE)


@contextmanager
def attempting(attempt: str) -> Iterator[None]:
    """Whatever zhmcclient raises inside is raised as an HmcError that names the attempt."""
    try:
        yield
    except zhmcclient.Error as error:
        raise translated(attempt, error) from error


def translated(attempt: str, error: zhmcclient.Error) -> HmcError:
    """The HmcError for one of zhmcclient's."""
    if isinstance(error, zhmcclient.HTTPError):
        said = f"{error.message} (HTTP {error.http_status}, reason {error.reason})"
        return _of_answer(error.http_status, error.reason)(attempt, said)
    return _of_exception(error)(attempt, _said(error))


def _said(error: zhmcclient.Error) -> str:
    """Its text, without what zhmcclient says twice of a connection that failed."""
    return str(error).rpartition(", reason: ")[2].partition(" (exception received by ")[0]


def _of_answer(status: int, reason: int) -> type[HmcError]:
    return _ANSWERS.get((status, reason)) or _ANSWERS.get((status, None)) or Refused


def _of_exception(error: zhmcclient.Error) -> type[HmcError]:
    if isinstance(error, zhmcclient.ConnectionError) and "CERTIFICATE" in str(error):
        return WrongName if _MISMATCH.search(str(error)) else NotTrusted
    return next((ours for theirs, ours in _EXCEPTIONS if isinstance(error, theirs)), Refused)
