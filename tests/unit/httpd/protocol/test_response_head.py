"""The head of a response, request ids, limits."""

import re

import pytest

from firstlight.httpd.limits import Limits
from firstlight.httpd.protocol import request_ids
from firstlight.httpd.protocol.messages import Response
from firstlight.httpd.protocol.parser import CLOSE, KEEP
from firstlight.httpd.protocol.response_head import render


def test_order_of_headers():
    """The head is these bytes, in this order, and nothing else."""
    response = Response(404, b"no\n", b"text/plain", ((b"Retry-After", b"1"),))
    assert render(response, "req-1", CLOSE) == (
        b"HTTP/1.1 404 Not Found\r\nContent-Type: text/plain\r\nContent-Length: 3\r\n"
        b"X-OpenStack-Request-Id: req-1\r\nRetry-After: 1\r\nConnection: close\r\n\r\n"
    )


def test_no_content():
    """204 and 304 have no Content-Length; an empty type is left out."""
    assert render(Response(204, b"", b""), "req-1", KEEP) == (
        b"HTTP/1.1 204 No Content\r\nX-OpenStack-Request-Id: req-1\r\n\r\n"
    )


def test_length_of_a_body_that_is_not_sent():
    """The answer to somebody else's HEAD says that body's length, or nothing about it."""
    assert b"Content-Length: 7\r\n" in render(Response(length=7), "req-1", KEEP)
    assert b"Content-Length" not in render(Response(length=-1), "req-1", KEEP)


def test_unregistered_status():
    """A status without a registered phrase is sent without one."""
    assert render(Response(299), "req-1", KEEP).startswith(b"HTTP/1.1 299 \r\n")


@pytest.mark.parametrize("value", [b"a\r\nX: y", b"a\nb", b"a\0b"])
def test_response_splitting(value):
    """A header value with a line break does not reach the wire."""
    with pytest.raises(ValueError, match="line break"):
        render(Response(200, headers=((b"X", value),)), "req-1", KEEP)


def test_ids_look_like_openstacks_and_differ():
    """req- and the shape of a UUID, never the same twice."""
    make = request_ids.fresh()
    made = {make({}) for _ in range(1000)}
    assert len(made) == 1000
    assert all(re.fullmatch(r"req-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", one) for one in made)


@pytest.mark.parametrize("brought", [b"req-" + b"a" * 37, b"req-" + b"G" * 36, b"x", b""])
def test_malformed_ids_are_not_taken_over(brought):
    """Even where ids are trusted, one that is not well-formed is replaced."""
    assert request_ids.trusting(lambda _: "own")({b"x-openstack-request-id": brought}) == "own"


def test_well_formed_ids_are_taken_over():
    """A caller's own id is kept where it is trusted."""
    brought = b"req-12345678-1234-1234-1234-123456789abc"
    assert (
        request_ids.trusting(lambda _: "own")({b"x-openstack-request-id": brought})
        == brought.decode()
    )


@pytest.mark.parametrize("wrong", [{"body": 0}, {"idle_time": -1.0}, {"target": 10, "head": 9}])
def test_limits_that_cannot_be(wrong):
    """A limit that would refuse everything is refused itself."""
    with pytest.raises(ValueError, match=r"Limits\."):
        Limits(**wrong)
