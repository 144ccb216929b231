"""``firstlight vendordata``: the vendordata service."""

import argparse
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from socket import socket

from oslo_config import cfg
from oslo_log import log
from prometheus_client import CollectorRegistry

from firstlight import conf as configuration
from firstlight.cli import add_config_arguments
from firstlight.cli.serving import STATUS, serving, shared_by
from firstlight.conf import ConfigError
from firstlight.vendordata.body import LIMIT
from firstlight.vendordata.deploy import deploy
from firstlight.vendordata.errors import error_body
from firstlight.wire.limits import Limits
from firstlight.wire.listener import Listener
from firstlight.wire.messages import Request, Response
from firstlight.wire.pool import Pool
from firstlight.wire.process import run as run_process
from firstlight.wire.server import Server
from firstlight.wire.sockets import CannotListen, Tcp
from firstlight.wire.wsgi import WsgiHandler

CALLERS = "vendordata"  # the name of the listener that Nova, or firstlight metadata, asks

# Seconds past the providers' deadline in which the answer is written.
_GRACE = 0.4

_EPILOG = """\
Nova asks it if its nova.conf has, under [api],
  vendordata_providers = StaticJSON,DynamicJSON
  vendordata_dynamic_targets = site@http://HOST:9090/
and credentials under [vendordata_dynamic_auth].

Signals: TERM answers what was asked and ends; HUP starts a successor that reads the configuration
anew and takes over without a lost request.

  firstlight vendordata --config-file /etc/firstlight/vendordata.conf
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.epilog = _EPILOG
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    add_config_arguments(parser)
    parser.add_argument("--listen", metavar="ADDRESS", help="instead of [DEFAULT] listen")
    parser.add_argument("--port", type=int, help="instead of [DEFAULT] port")


def run(args: argparse.Namespace) -> int:
    """Serve until told to stop."""
    try:
        conf = configuration.load("vendordata", args.config_file, args.config_dir)
        log.setup(conf, "firstlight")
        address = Tcp(args.listen or conf.listen, conf.port if args.port is None else args.port)
        addresses = {
            CALLERS: address,
            STATUS: Tcp(conf.firstlight.status_listen, conf.firstlight.status_port),
        }
        with shared_by(conf.workers) as shared:
            return run_process(
                lambda opened: vendordata_server(conf, opened, shared),
                addresses,
                workers=conf.workers,
            )
    except (ConfigError, CannotListen, ValueError) as error:
        print(f"firstlight vendordata: {error}", file=sys.stderr)
        return 1


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
    app, panel = deploy(conf, registry)
    requests = Pool("vendordata", threads=ours.request_threads, waiting=ours.request_queue)
    callers = Listener(
        # Who may call may name the request as well.
        opened[CALLERS],
        WsgiHandler(app, requests),
        CALLERS,
        trust_request_id=True,
    )
    with (
        closing(panel),
        closing(requests),
        serving(
            [callers],
            opened[STATUS],
            checks={},
            registry=registry,
            access_log=ours.access_log,
            refusal=_refuse,
            workers=shared,
            limits=Limits(answer_time=ours.provider_deadline + _GRACE, body=LIMIT),
        ) as server,
    ):
        yield server


def _refuse(status: int, reason: str, _request: Request | None) -> Response:
    """What the wire refuses by itself, in the shape of the service's errors."""
    return Response(status, error_body(status, reason), b"application/json")
