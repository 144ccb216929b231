"""What ``firstlight metadata`` does."""

import argparse
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from socket import socket

from oslo_config import cfg

from firstlight import conf as configuration
from firstlight.conf import ConfigError, logs
from firstlight.httpd.listener import Listener
from firstlight.httpd.process.generation import run as run_process
from firstlight.httpd.server import Server
from firstlight.httpd.sockets.listening import CannotListen, Tcp
from firstlight.metadata.backend import BackendError
from firstlight.metadata.deploy import (
    Deployment,
    limits,
    refuse,
    tls_context,
    warn_of_unhonoured,
)
from firstlight.services.serving import STATUS, serving, shared_by

GUESTS = "metadata"  # the name of the listener that metadata proxies, or guests, ask


def run(args: argparse.Namespace) -> int:
    """Serve until told to stop."""
    try:
        conf = configuration.load_typed("metadata", args.config)
        configuration.share_with_libraries(conf, "metadata")
        logs.begin(conf, "metadata")
        warn_of_unhonoured(conf)
        addresses = {
            GUESTS: Tcp(conf.metadata_listen, conf.metadata_listen_port),
            STATUS: Tcp(conf.firstlight.status_listen, conf.firstlight.status_port, spare=True),
        }
        with shared_by(conf.metadata_workers) as shared:
            return run_process(
                lambda opened: metadata_server(conf, opened, shared),
                addresses,
                workers=conf.metadata_workers,
            )
    except (ConfigError, BackendError, CannotListen, ValueError) as error:
        print(f"firstlight metadata: {error}", file=sys.stderr)
        return 1


@contextmanager
def metadata_server(
    conf: cfg.ConfigOpts, opened: Mapping[str, socket], shared: Path | None = None
) -> Iterator[Server]:
    """The service of this configuration on these sockets; workers share the directory `shared`."""
    with closing(Deployment(conf)) as deployment:
        guests = Listener(
            opened[GUESTS],
            deployment.service.handle,
            GUESTS,
            hot=deployment.service.hot,
            tls=tls_context(conf),
            # Whoever may name an instance may name the request as well.
            trust_request_id=conf.neutron.service_metadata_proxy,
        )
        with serving(
            [guests],
            opened.get(STATUS),
            checks=deployment.checks,
            concerns=deployment.concerns,
            about=deployment.about,
            registry=deployment.registry,
            access_log=conf.firstlight.access_log,
            limits=limits(conf),
            refusal=refuse,
            workers=shared,
        ) as server:
            yield server
