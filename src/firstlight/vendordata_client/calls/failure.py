"""Why a call failed: a word for metrics, a sentence for people."""

from enum import StrEnum

import requests
import urllib3
from keystoneauth1 import exceptions

from firstlight.vendordata_client.targets import without_secrets

# What a request can raise that is the network's, the target's, Keystone's or the operator's fault.
# A certificate file that does not exist is an OSError, a malformed URL a ValueError.
CALL_ERRORS = (
    exceptions.ClientException,
    requests.RequestException,
    urllib3.exceptions.HTTPError,
    OSError,
    ValueError,
)

_LONGEST = 300


class Kind(StrEnum):
    """What went wrong, as metrics count it."""

    TIMEOUT = "timeout"  # no connection, no byte, or no whole answer in time
    UNREACHABLE = "unreachable"
    TLS = "tls"
    STATUS = "status"  # 400 and above
    NOT_JSON = "not-json"
    TOO_LARGE = "too-large"
    REDIRECT = "redirect"  # one that cannot be followed
    NO_TOKEN = "no-token"  # noqa: S105  (Keystone gave none)
    BROKEN = "broken"  # the answer breaks off, or is no HTTP
    URL = "url"  # the operator's
    BUSY = "busy"  # not asked: too many questions are open
    BREAKER = "breaker"  # not asked: it failed too often
    FAULT = "fault"  # of Firstlight's


# What tells about the target as a whole, whoever it is asked about.
_TELLING = frozenset(
    (Kind.TIMEOUT, Kind.UNREACHABLE, Kind.TLS, Kind.NOT_JSON, Kind.TOO_LARGE, Kind.NO_TOKEN)
)
# Of statuses, those by which a server says that it is not there. A 500 or a 404 may be about one
# instance: pcss-vendor-metadata answers 500 for one without ports.
_AWAY = frozenset((429, 502, 503, 504))


def blames_target(kind: Kind, status: int | None) -> bool:
    """Whether the next question, about another instance, can be expected to fail as well."""
    return status in _AWAY if kind is Kind.STATUS else kind in _TELLING


class CallFailed(Exception):
    """Leaves a call from wherever it stands; the message is the answer's `reason`."""

    def __init__(self, message: str, kind: Kind) -> None:
        super().__init__(message)
        self.kind = kind


def reason(error: BaseException) -> str:
    """One sentence, without credentials."""
    root = _root(error)
    said = without_secrets(str(root) or type(root).__name__)[:_LONGEST]
    if _any(error, requests.exceptions.SSLError, exceptions.SSLError):
        return f"TLS failed: {said}"
    if _any(error, requests.exceptions.ConnectionError) and isinstance(root, OSError):
        return f"cannot be reached: {root.strerror or said}"
    return said


def timed_out(error: BaseException) -> str | None:
    """ "connect" or "read" if that is what took too long, else None."""
    if _any(error, requests.exceptions.ConnectTimeout):
        return "connect"
    return "read" if _any(error, TimeoutError, urllib3.exceptions.ReadTimeoutError) else None


def kind_of(error: BaseException) -> Kind:
    """What sort of thing one of CALL_ERRORS is."""
    if timed_out(error):
        return Kind.TIMEOUT
    if _any(error, requests.exceptions.SSLError, exceptions.SSLError):
        return Kind.TLS
    if _any(error, requests.exceptions.ConnectionError, OSError):
        return Kind.UNREACHABLE
    return Kind.BROKEN


def _any(error: BaseException, *kinds: type[BaseException]) -> bool:
    return any(isinstance(link, kinds) for link in _chain(error))


def _root(error: BaseException) -> BaseException:
    """The first error of the chain: keystoneauth, requests and urllib3 each wrap the last one's."""
    return _chain(error)[-1]


def _chain(error: BaseException) -> list[BaseException]:
    chain = [error]
    while (below := _below(chain[-1])) is not None:
        chain.append(below)
    return chain


def _below(error: BaseException) -> BaseException | None:
    return error.__cause__ or (None if error.__suppress_context__ else error.__context__)
