"""What the WSGI application does with files that it cannot use."""

import logging
from collections.abc import Callable
from pathlib import Path

import pytest

from firstlight.metadata import wsgi


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "nova.conf"),
        ("[neutron]\nservice_metadata_proxy = true\n", "[api_database] connection"),
        ("[api_database]\nconnection = sqlite://\n", "[neutron] auth_type"),
    ],
)
def test_it_answers_500_and_logs_the_reason(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    text: str | None,
    said: str,
) -> None:
    """Nova's fails as well; ours says in a line why, for each request until it is mended."""
    monkeypatch.setattr(wsgi, "_built", [])
    monkeypatch.setattr(wsgi.logs, "begin", lambda *_: None)  # the process's log stays pytest's
    monkeypatch.delenv("FIRSTLIGHT_CONFIG_FILES", raising=False)
    monkeypatch.setenv("OS_NOVA_CONFIG_DIR", str(tmp_path))
    if text is not None:
        (tmp_path / "nova.conf").write_text(text)
    statuses: list[str] = []
    start: Callable[..., None] = lambda status, _headers: statuses.append(status)  # noqa: E731  said once, used below
    with caplog.at_level(logging.CRITICAL, wsgi.__name__):
        body = b"".join(wsgi.application({}, start))  # type: ignore[arg-type]
    assert statuses == ["500 Internal Server Error"]
    assert b"its log says why" in body
    [message] = [one.getMessage() for one in caplog.records if one.levelno == logging.CRITICAL]
    assert said in message
