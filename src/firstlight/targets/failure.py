"""Why a call failed, in words for people."""

import requests
import urllib3
from keystoneauth1 import exceptions

from firstlight.targets.targets import without_secrets

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


class CallFailed(Exception):
    """Leaves a call from wherever it stands; the message is the answer's `reason`."""


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
