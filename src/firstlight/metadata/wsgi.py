"""``firstlight.metadata.wsgi:application`` for uWSGI, mod_wsgi or gunicorn.

Configuration files are named by FIRSTLIGHT_CONFIG_FILES (separated by ``;``) or, as for Nova's own
application, by OS_NOVA_CONFIG_DIR and OS_NOVA_CONFIG_FILES; without any of them it reads
/etc/firstlight/metadata.conf or, if that is not there, /etc/nova/nova.conf with its nova.conf.d.
The service is built on the first request, after the server has forked its workers. While its
configuration cannot be used, each request is answered with 500 and the reason is logged.
"""

import logging
import os
import sys
import threading
from collections.abc import Iterable
from typing import TYPE_CHECKING

from firstlight import conf as configuration
from firstlight.conf import logs
from firstlight.httpd.wsgi import application as wsgi_application
from firstlight.metadata.backend import BackendError
from firstlight.metadata.deploy import Deployment, limits, refuse, warn_of_unhonoured

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

LOG = logging.getLogger(__name__)

_lock = threading.Lock()
_built: "list[WSGIApplication]" = []


def application(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
    """Answer one request (PEP 3333)."""
    with _lock:
        if not _built:
            try:
                _built.append(_build())
            except (configuration.ConfigError, BackendError, ValueError) as error:
                LOG.critical("the metadata service cannot start: %s", error)
                return _unusable(start_response)
    return _built[0](environ, start_response)


def _unusable(start_response: "StartResponse") -> Iterable[bytes]:
    body = b"The service's configuration cannot be used; its log says why.\n"
    headers = [("Content-Type", "text/plain; charset=UTF-8"), ("Content-Length", str(len(body)))]
    start_response("500 Internal Server Error", headers)
    return [body]


def _build() -> "WSGIApplication":
    conf = configuration.load_under_wsgi(os.environ, sys.argv)
    configuration.share_with_libraries(conf, "metadata")
    logs.begin(conf, "metadata")
    warn_of_unhonoured(conf)
    deployment = Deployment(conf)
    return wsgi_application(
        deployment.service.handle,
        limits=limits(conf),
        refusal=refuse,
        trust_request_id=conf.neutron.service_metadata_proxy,
    )
