"""What ``firstlight vendordata`` does."""

import argparse
import logging
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from socket import socket

from oslo_config import cfg
from prometheus_client import CollectorRegistry

from firstlight import conf as configuration
from firstlight.concurrency.workers import Workers
from firstlight.conf import ConfigError, logs
from firstlight.conf.compat_mode import CompatMode, listens_at, named_by
from firstlight.conf.reading.files import Untrusted, add_dotenv
from firstlight.conf.reading.search import files_named
from firstlight.health.metrics import DependencyCollector
from firstlight.httpd.listener import Listener
from firstlight.httpd.process.generation import run as run_process
from firstlight.httpd.protocol.messages import Request, Response
from firstlight.httpd.server import Server
from firstlight.httpd.sockets.listening import CannotListen, Tcp
from firstlight.httpd.wsgi import WsgiHandler
from firstlight.services import oslo_service
from firstlight.services.serving import STATUS, serving, shared_by
from firstlight.vendordata.deploy import deploy, warn_of_unhonoured
from firstlight.vendordata.http.errors import error_body
from firstlight.vendordata.http.request_body import LIMIT

LOG = logging.getLogger(__name__)

CALLERS = "vendordata"  # the name of the listener that Nova, or firstlight metadata, asks

# Seconds past the providers' deadline in which the answer is written.
_GRACE = 0.4


def run(args: argparse.Namespace, stand_in_for: CompatMode | None = None) -> int:
    """Serve until told to stop; `stand_in_for` is the service whose name we were called by."""
    try:
        conf = _read(args, stand_in_for)
        configuration.share_with_libraries(conf, "vendordata")
        logs.begin(conf, "vendordata")
        if not conf.config_file and not conf.config_dir:
            LOG.warning("No configuration file was found; only the environment is read.")
        warn_of_unhonoured(conf)
        addresses = {
            CALLERS: _address(conf, args),
            STATUS: Tcp(conf.firstlight.status_listen, conf.firstlight.status_port, spare=True),
        }
        with shared_by(conf.workers) as shared:
            return run_process(
                lambda opened: vendordata_server(conf, opened, shared),
                addresses,
                workers=conf.workers,
            )
    except (ConfigError, CannotListen, Untrusted, ValueError) as error:
        print(f"firstlight vendordata: {error}", file=sys.stderr)
        return 1


def _read(args: argparse.Namespace, stand_in_for: CompatMode | None) -> cfg.ConfigOpts:
    if (stand_in_for or named_by(files_named(args.config))) is CompatMode.POLLINATE:
        add_dotenv(os.environ, Path.cwd())
    return configuration.load_typed("vendordata", args.config, stand_in_for=stand_in_for)


def _address(conf: cfg.ConfigOpts, args: argparse.Namespace) -> Tcp:
    host, port = listens_at(conf)
    return Tcp(args.listen or host, port if args.port is None else args.port)


@contextmanager
def vendordata_server(
    conf: cfg.ConfigOpts, opened: Mapping[str, socket], shared: Path | None = None
) -> Iterator[Server]:
    """The service of this configuration on these sockets; workers share the directory `shared`.

    Raises:
        ConfigError: it cannot work; the message names section, option and remedy.
    """
    ours = conf.firstlight
    registry = CollectorRegistry()
    app, panel, readiness = deploy(conf, registry)
    registry.register(DependencyCollector(readiness.dependencies))
    requests = Workers(
        "vendordata", threads=oslo_service.request_threads(conf), waiting=ours.request_queue
    )
    oslo_service.keep_alive(opened[CALLERS], conf)
    callers = Listener(
        # Who may call may name the request as well.
        opened[CALLERS],
        WsgiHandler(app, requests),
        CALLERS,
        tls=oslo_service.tls(conf),
        trust_request_id=True,
        keep_alive=conf.wsgi_keep_alive,
    )
    with (
        closing(panel),
        closing(requests),
        closing(readiness),
        serving(
            [callers],
            opened.get(STATUS),
            checks=readiness.checks,
            concerns=readiness.concerns,
            registry=registry,
            access_log=ours.access_log,
            refusal=_refuse,
            workers=shared,
            limits=oslo_service.limits(
                conf, answer_time=ours.provider_deadline + _GRACE, body=LIMIT
            ),
        ) as server,
    ):
        readiness.start()
        yield server


def _refuse(status: int, reason: str, _request: Request | None) -> Response:
    """What the HTTP server refuses by itself, in the shape of the service's errors."""
    return Response(status, error_body(status, reason), b"application/json")
