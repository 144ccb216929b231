"""``application``: built once, and what it says if that is not possible."""

import logging
from wsgiref.util import setup_testing_defaults

import pytest
from oslo_config import cfg

from firstlight.conf import ConfigError
from firstlight.vendordata.wsgi import Application


def test_a_configuration_that_cannot_be_used(caplog: pytest.LogCaptureFixture) -> None:
    """The log says why, once; callers get 500 and no more of it."""

    def read() -> cfg.ConfigOpts:
        raise ConfigError("[DEFAULT] providers: nothing installed is named nobody")

    application = Application(read)
    with caplog.at_level(logging.CRITICAL):
        first, second = ask(application), ask(application)
    assert first == second
    assert first[0] == "500 Internal Server Error"
    assert b"its log says why" in first[1]
    assert b"nobody" not in first[1]
    assert [record.getMessage() for record in caplog.records] == [
        "[DEFAULT] providers: nothing installed is named nobody"
    ]


def ask(application: Application) -> tuple[str, bytes]:
    environ: dict[str, object] = {}
    setup_testing_defaults(environ)
    said = []
    body = application(environ, lambda status, headers, *_: said.append(status))
    return said[0], b"".join(body)
