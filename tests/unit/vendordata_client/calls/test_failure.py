"""What is said and counted of a call that failed."""

from itertools import pairwise

import pytest
import requests
import urllib3
from keystoneauth1 import exceptions

from firstlight.vendordata_client.calls.failure import Kind, blames_target, kind_of, reason


def chained(*errors: BaseException) -> BaseException:
    """The first, raised from the second, and so on."""
    for above, below in pairwise(errors):
        above.__cause__ = below
    return errors[0]


REFUSED = ConnectionRefusedError(111, "Connection refused")
READ = urllib3.exceptions.ReadTimeoutError(None, "/", "Read timed out.")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("error", "kind", "said"),
    [
        (
            chained(
                exceptions.ConnectFailure("x"), requests.exceptions.ConnectionError("y"), REFUSED
            ),
            Kind.UNREACHABLE,
            "cannot be reached: Connection refused",
        ),
        (chained(requests.exceptions.ReadTimeout("x"), READ), Kind.TIMEOUT, "Read timed out."),
        (requests.exceptions.ConnectTimeout("too long"), Kind.TIMEOUT, "too long"),
        (TimeoutError("timed out"), Kind.TIMEOUT, "timed out"),
        (requests.exceptions.SSLError("self-signed"), Kind.TLS, "TLS failed: self-signed"),
        (urllib3.exceptions.ProtocolError("broken off"), Kind.BROKEN, "broken off"),
        (ValueError(), Kind.BROKEN, "ValueError"),
    ],
)
def test_an_error(error: BaseException, kind: Kind, said: str) -> None:
    """The first cause decides, whoever wrapped it."""
    assert kind_of(error) is kind
    assert said in reason(error)


def test_no_credentials() -> None:
    """What libraries put URLs into does not reach the log, and has an end."""
    said = reason(requests.RequestException("http://me:hush@host/?token=secret " + "x" * 1000))
    assert "hush" not in said
    assert "secret" not in said
    assert len(said) <= 300


@pytest.mark.parametrize(
    ("kind", "status", "blamed"),
    [
        (Kind.STATUS, 503, True),
        (Kind.STATUS, 429, True),
        (Kind.STATUS, 500, False),  # of one instance, perhaps
        (Kind.STATUS, 404, False),
        (Kind.TIMEOUT, None, True),
        (Kind.BUSY, None, False),
        (Kind.FAULT, None, False),
    ],
)
def test_who_is_to_blame(kind: Kind, status: int | None, blamed: bool) -> None:
    """A target is left alone only for what tells about it as a whole."""
    assert blames_target(kind, status) is blamed
