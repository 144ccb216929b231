"""Who is let in without Keystone, by strategy and shape."""

from collections.abc import Callable
from pathlib import Path
from typing import Any
from wsgiref.util import setup_testing_defaults

import pytest

from firstlight.conf import load
from firstlight.conf.compat_mode import CompatMode
from firstlight.vendordata.auth.gates import guarded
from firstlight.vendordata.http.request_body import BadBody, read_context

LET_IN = "200 Let in"


def let_in(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
    start_response(LET_IN, [])
    return []


def asked(
    tmp_path: Path, how: str, shape: CompatMode, path: str = "/", said: str | None = None
) -> str:
    conf = tmp_path / "v.conf"
    conf.write_text(f"[DEFAULT]\nauth_strategy = {how}\n")
    environ: dict[str, Any] = {"PATH_INFO": path}
    setup_testing_defaults(environ)
    if said is not None:
        environ["HTTP_X_IDENTITY_STATUS"] = said
    statuses: list[str] = []
    guarded(let_in, load("vendordata", [str(conf)]), shape)(
        environ, lambda status, headers, *_: statuses.append(status)
    )
    return statuses[0]


@pytest.mark.parametrize(
    ("how", "shape", "needs_word"),
    [
        ("noauth", CompatMode.FIRSTLIGHT, False),
        ("noauth", CompatMode.PCSS, False),
        ("noauth", CompatMode.POLLINATE, True),
        ("testing", CompatMode.FIRSTLIGHT, True),
        ("testing", CompatMode.POLLINATE, True),
        ("testing", CompatMode.PCSS, True),
    ],
)
def test_a_callers_word(tmp_path: Path, how: str, shape: CompatMode, needs_word: bool) -> None:
    """Where it is needed, only ``Confirmed`` will do."""
    refused = "401 Unauthorized" if needs_word else LET_IN
    assert asked(tmp_path, how, shape) == refused
    assert asked(tmp_path, how, shape, said="Invalid") == refused
    assert asked(tmp_path, how, shape, said="confirmed") == refused
    assert asked(tmp_path, how, shape, said="Confirmed") == LET_IN


@pytest.mark.parametrize(
    ("path", "shape", "is_open"),
    [
        ("/healthcheck", CompatMode.POLLINATE, True),
        ("/healthcheck", CompatMode.PCSS, True),
        ("/test", CompatMode.POLLINATE, True),
        ("/test", CompatMode.FIRSTLIGHT, False),
        ("/test", CompatMode.PCSS, False),
        ("/test/", CompatMode.POLLINATE, False),
        ("/healthcheck/", CompatMode.POLLINATE, False),
        ("//test", CompatMode.POLLINATE, False),
    ],
)
def test_open_paths(tmp_path: Path, path: str, shape: CompatMode, is_open: bool) -> None:
    """Exactly those, and ``/test`` only where it is one."""
    expected = LET_IN if is_open else "401 Unauthorized"
    assert asked(tmp_path, "testing", shape, path) == expected


def test_ids_that_a_shape_does_not_need() -> None:
    """Who is not named is nobody, and not an empty word that could mean everybody."""
    only_project = read_context(b'{"project-id": "p"}', ["project-id"])
    assert only_project.instance_id == "00000000-0000-0000-0000-000000000000"
    only_instance = read_context(b'{"instance-id": "i", "project-id": ""}', ["instance-id"])
    assert only_instance.project_id == "0" * 32
    with pytest.raises(BadBody, match="no instance-id"):
        read_context(b'{"project-id": "p"}', ["instance-id"])
