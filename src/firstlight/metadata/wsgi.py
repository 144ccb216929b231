"""``firstlight.metadata.wsgi:application`` for uWSGI, mod_wsgi or gunicorn.

Configuration files are named by FIRSTLIGHT_CONFIG_FILES (separated by ``;``) or, as for Nova's own
application, by OS_NOVA_CONFIG_DIR and OS_NOVA_CONFIG_FILES. The service is built on the first
request, after the server has forked its workers.
"""

import os
import threading
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from firstlight import conf as configuration
from firstlight.conf import logs
from firstlight.metadata.deploy import Deployment, limits, refuse, warn_of_unhonoured
from firstlight.wire.wsgi import application as wsgi_application

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

_lock = threading.Lock()
_built: "list[WSGIApplication]" = []


def application(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
    """Answer one request (PEP 3333)."""
    with _lock:
        if not _built:
            _built.append(_build())
    return _built[0](environ, start_response)


def _build() -> "WSGIApplication":
    conf = configuration.load("metadata", config_files(os.environ))
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


def config_files(environ: Mapping[str, str]) -> list[str]:
    """The files that Nova's variables name; paste's file, which Nova lists too, is not ours.

    As Nova has it, a directory alone stands for its ``nova.conf``.
    """
    if configuration.FILES_VARIABLE in environ:
        return []  # `load` reads it
    directory = Path(environ.get("OS_NOVA_CONFIG_DIR", "/etc/nova"))
    unnamed = "nova.conf" if "OS_NOVA_CONFIG_DIR" in environ else ""
    names = environ.get("OS_NOVA_CONFIG_FILES", unnamed).split(";")
    return [str(directory / name) for name in names if name and name != "api-paste.ini"]
