"""What a response means."""

import encodings
from typing import Any

import pytest

from firstlight.instance import State
from firstlight.vendordata_client.calls.reply import TargetResponse, answer

DEEP = "answered 200 with JSON that is nested more than 64 levels deep"
CONSTANT = "answered 200 with JSON that has {} in it, which is no number of JSON's"
LARGE = "answered 200 with JSON that has a number in it that is past the largest"


@pytest.mark.parametrize(
    ("status", "body", "value"),
    [
        (200, b'{"a": 1}', {"a": 1}),
        (201, b"[1, 2]", [1, 2]),
        (202, b'"#cloud-config"', "#cloud-config"),
        (300, b"null", None),
        (304, b"0", 0),
        (200, b"false", False),
        (200, b"[]", []),
        (200, '"wéb"'.encode(), "wéb"),
        (200, '"wéb"'.encode("utf-16-le"), "wéb"),
    ],
)
def test_json_of_any_type(status: int, body: bytes, value: Any) -> None:
    """Any JSON value below 400 is the answer."""
    said = answer(TargetResponse(status=status, body=body), 5.0)
    assert (value, State.OK, 5.0, None) == (said.value, said.state, said.fetched, said.reason)


@pytest.mark.parametrize(("status", "body"), [(204, b""), (200, b""), (200, b"{}"), (200, b" {}")])
def test_nothing_to_say(status: int, body: bytes) -> None:
    """No body and {} both say that there is nothing: empty, not failed."""
    said = answer(TargetResponse(status=status, body=body), 5.0)
    assert (said.value, said.state, said.reason) == ({}, State.EMPTY, None)


@pytest.mark.parametrize(
    ("status", "body", "content_type", "reason"),
    [
        (
            200,
            b"<html>",
            "text/html",
            "answered 200 with a body that is not JSON (Content-Type: text/html)",
        ),
        (200, b" ", None, "answered 200 with a body that is not JSON"),
        (200, b"#cloud-config\n", None, "answered 200 with a body that is not JSON"),
        (200, b"[" * 100_000, None, DEEP),
        (200, b"[" * 65 + b"]" * 65, None, DEEP),
        (200, b'{"a":' * 980 + b"1" + b"}" * 980, None, DEEP),
        (200, b'{"a": [NaN]}', None, CONSTANT.format("NaN")),
        (200, b"Infinity", None, CONSTANT.format("Infinity")),
        (200, b'{"a": -Infinity}', None, CONSTANT.format("-Infinity")),
        (200, b"[1e999]", None, LARGE),
        (200, b"[" * 63 + b"[-1e999]" + b"]" * 63, None, LARGE),
        (400, b'{"a": 1}', "application/json", "answered 400"),
        (401, b"", None, "answered 401"),
        (404, b"{}", None, "answered 404"),
        (500, b"", None, "answered 500"),
    ],
)
def test_failed(status: int, body: bytes, content_type: str | None, reason: str) -> None:
    """Failures keep {} as value and say why."""
    said = answer(TargetResponse(status=status, body=body, content_type=content_type), 5.0)
    assert ({}, State.FAILED, reason) == (said.value, said.state, said.reason)


@pytest.mark.parametrize(
    ("charset", "body"),
    [
        ("ISO-8859-1", b'"w\xe9b"'),
        ("utf-8", '"wéb"'.encode()),
        ("no-such", '"wéb"'.encode()),
        ("-Punycode", '"wéb"'.encode()),
        ("idna", '"wéb"'.encode()),
        ("zlib_codec", '"wéb"'.encode()),
    ],
)
def test_declared_charset(charset: str, body: bytes) -> None:
    """The body is read in the declared charset; one nobody knows is UTF-8."""
    assert answer(TargetResponse(status=200, body=body, charset=charset), 0.0).value == "wéb"


def test_as_deep_as_may_be() -> None:
    """64 levels are an answer."""
    said = answer(TargetResponse(status=200, body=b"[" * 64 + b"1.5" + b"]" * 64), 0.0)
    assert said.state is State.OK


def test_unknown_charsets_are_not_remembered() -> None:
    """Python keeps every name that it has looked for; a target that thinks up long ones has none
    of them kept."""
    charset = "x" * 60_000
    assert answer(TargetResponse(status=200, body=b"1", charset=charset), 0.0).value == 1
    assert charset not in encodings._cache
