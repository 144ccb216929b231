"""What a response means."""

from typing import Any

import pytest

from firstlight.instance import State
from firstlight.targets.reply import Reply, answer


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
    said = answer(Reply(status=status, body=body), 5.0)
    assert (value, State.OK, 5.0, None) == (said.value, said.state, said.fetched, said.reason)


@pytest.mark.parametrize(("status", "body"), [(204, b""), (200, b""), (200, b"{}"), (200, b" {}")])
def test_nothing_to_say(status: int, body: bytes) -> None:
    """No body and {} both say that there is nothing: empty, not failed."""
    said = answer(Reply(status=status, body=body), 5.0)
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
        (200, b"[" * 100_000, None, "answered 200 with JSON that is nested too deeply"),
        (400, b'{"a": 1}', "application/json", "answered 400"),
        (401, b"", None, "answered 401"),
        (404, b"{}", None, "answered 404"),
        (500, b"", None, "answered 500"),
    ],
)
def test_failed(status: int, body: bytes, content_type: str | None, reason: str) -> None:
    """Failures keep {} as value and say why."""
    said = answer(Reply(status=status, body=body, content_type=content_type), 5.0)
    assert ({}, State.FAILED, reason) == (said.value, said.state, said.reason)


@pytest.mark.parametrize(
    ("charset", "body"),
    [("ISO-8859-1", b'"w\xe9b"'), ("utf-8", '"wéb"'.encode()), ("no-such", '"wéb"'.encode())],
)
def test_declared_charset(charset: str, body: bytes) -> None:
    """The body is read in the declared charset; one nobody knows is UTF-8."""
    assert answer(Reply(status=200, body=body, charset=charset), 0.0).value == "wéb"
