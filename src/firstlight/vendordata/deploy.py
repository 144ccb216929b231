"""The layers of the service, outermost last."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from oslo_config import cfg
from prometheus_client import CollectorRegistry

from firstlight.vendordata.app import make_app
from firstlight.vendordata.arrival import noted
from firstlight.vendordata.auth import guarded
from firstlight.vendordata.clients import ConfiguredClients
from firstlight.vendordata.loading import load_providers
from firstlight.vendordata.metrics import Metrics
from firstlight.vendordata.panel import Panel

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication


def deploy(
    conf: cfg.ConfigOpts,
    registry: CollectorRegistry,
    clock: Callable[[], float] = time.monotonic,
) -> tuple["WSGIApplication", Panel]:
    """The application that `conf` describes, and the panel to close when it is no longer used.

    Raises:
        ConfigError: it cannot work; the message names section, option and remedy.
    """
    providers = load_providers(conf, ConfiguredClients(conf))
    panel = Panel(
        providers,
        threads=conf.firstlight.provider_threads,
        counted=Metrics(registry),
        clock=clock,
    )
    app = make_app(panel, deadline=conf.firstlight.provider_deadline)
    return noted(guarded(app, conf), clock), panel
