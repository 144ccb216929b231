"""How the list of targets is read, and how they are shown."""

import pytest

from firstlight.vendordata_client import Target, parse


def test_split_at_the_first_at_sign() -> None:
    """What follows the first @ is the URL, with whatever @ is in it."""
    assert parse(["u@http://user@host/p"]) == (Target("u", "http://user@host/p"),)


def test_order_and_empty_name() -> None:
    """Targets keep their order; the empty name is a name."""
    targets = parse(["b@http://b", "@http://nameless", "a@http://a"])
    assert [target.name for target in targets] == ["b", "", "a"]


def test_without_a_name(caplog: pytest.LogCaptureFixture) -> None:
    """An entry without @ is skipped, aloud, and told how it is written."""
    assert parse(["http://host:9090/?key=hush"]) == ()
    assert "write it as name@url" in caplog.text
    assert "hush" not in caplog.text


def test_duplicate(caplog: pytest.LogCaptureFixture) -> None:
    """Of two targets with one name the first is kept, and the second warned about."""
    assert parse(["a@http://one", "a@http://two"]) == (Target("a", "http://one"),)
    assert "http://two" in caplog.text
    assert "the name is taken" in caplog.text


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("nourl", "must begin with http:// or https://"),
        ("", "must begin with http:// or https://"),
        ("ftp://host/", "must begin with http:// or https://"),
        ("http://", "names no host"),
        ("http:///path", "names no host"),
        ("https://:8080/", "names no host"),
        ("http://host:port/", "malformed"),
        ("http://[::1/", "malformed"),
    ],
)
def test_never_answers(url: str, problem: str, caplog: pytest.LogCaptureFixture) -> None:
    """A target no request can be made to keeps its key and is named at start."""
    [target] = parse([f"broken@{url}"])
    assert problem in (target.problem or "")
    assert "broken" in caplog.text
    assert "will always fail" in caplog.text


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://host:9090/a", "http://host:9090/a"),
        ("http://me:secret@host/a", "http://host/a"),
        ("http://me:se/cret@host/a", "malformed URL"),
        ("http://host/a@b", "http://host/a@b"),
        ("https://host/a?key=secret", "https://host/a?…"),
        ("https://[::1]:1/a?", "https://[::1]:1/a?"),
    ],
)
def test_shown(url: str, shown: str) -> None:
    """Logs show neither userinfo nor query, and nothing where these cannot be told apart."""
    assert shown == Target("t", url).shown
