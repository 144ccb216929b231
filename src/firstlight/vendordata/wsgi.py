"""``application`` for uWSGI, gunicorn and others: configured from the usual files.

Built on the first call, so after the server has forked. uWSGI needs ``enable-threads``, because
providers run on threads.
"""

import logging
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from firstlight.conf import ConfigError
from firstlight.conf.reading.files import Untrusted, add_dotenv

if TYPE_CHECKING:
    from collections.abc import Iterable
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    from oslo_config import cfg

LOG = logging.getLogger(__name__)


class Application:
    """A WSGI application that is built, from what `read` returns, when it is first called.

    If that cannot be used, the log says why, once, and every answer is 500 until a restart.
    """

    def __init__(self, read: "Callable[[], cfg.ConfigOpts]") -> None:
        self._read = read
        self._building = threading.Lock()
        self._app: WSGIApplication | None = None

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> "Iterable[bytes]":
        app = self._app or self._built_once()
        return app(environ, start_response)

    def _built_once(self) -> "WSGIApplication":
        with self._building:  # two first requests build one
            if self._app is None:
                self._app = self._built()
            return self._app

    def _built(self) -> "WSGIApplication":
        try:
            return _build(self._read())
        except (ConfigError, Untrusted) as error:
            LOG.critical("%s", error)
            return _unusable


def _build(conf: "cfg.ConfigOpts") -> "WSGIApplication":
    from prometheus_client import REGISTRY

    from firstlight.conf import logs, share_with_libraries
    from firstlight.health.metrics import DependencyCollector
    from firstlight.vendordata.deploy import deploy, warn_of_unhonoured

    share_with_libraries(conf, "vendordata")
    logs.begin(conf, "vendordata")
    warn_of_unhonoured(conf)
    app, _panel, readiness = deploy(conf, REGISTRY)
    REGISTRY.register(DependencyCollector(readiness.dependencies))
    readiness.start()
    return app


def _unusable(_environ: "WSGIEnvironment", start_response: "StartResponse") -> "Iterable[bytes]":
    from firstlight.vendordata.http.errors import error_body

    body = error_body(500, "The service's configuration cannot be used; its log says why.")
    headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
    start_response("500 Internal Server Error", headers)
    return [body]


def _ours() -> "cfg.ConfigOpts":
    from firstlight.conf import load

    return load("vendordata")


def _pollinates() -> "cfg.ConfigOpts":
    import os
    from pathlib import Path

    from firstlight.conf import load
    from firstlight.conf.compat_mode import CompatMode

    add_dotenv(os.environ, Path.cwd())
    return load("vendordata", stand_in_for=CompatMode.POLLINATE)


#: ``firstlight.vendordata.wsgi:application``
application = Application(_ours)

#: What ``pollinate.wsgi:application`` is, in our package of that name.
pollinate_application = Application(_pollinates)
