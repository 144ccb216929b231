"""``application`` for uWSGI, gunicorn and others: configured from the usual files.

Built on the first call, so after the server has forked. uWSGI needs ``enable-threads``, because
providers run on threads.
"""

import threading
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

_BUILDING = threading.Lock()


def application(environ: "WSGIEnvironment", start_response: "StartResponse") -> "Iterable[bytes]":
    """The WSGI application of the vendordata service."""
    with _BUILDING:  # two first requests build it once
        app = _build()
    return app(environ, start_response)


@cache
def _build() -> "WSGIApplication":
    from oslo_log import log
    from prometheus_client import REGISTRY

    from firstlight.conf import load
    from firstlight.vendordata.deploy import deploy

    conf = load("vendordata")
    log.setup(conf, "firstlight")
    app, _panel = deploy(conf, REGISTRY)
    return app
