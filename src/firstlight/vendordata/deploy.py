"""The layers of the service, outermost last."""

import logging
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from oslo_config import cfg
from prometheus_client import CollectorRegistry

from firstlight.conf import ConfigError, warn_of_names
from firstlight.conf.compat_mode import CompatMode, compat_mode_of
from firstlight.conf.reading.stand_ins import NOT_OURS
from firstlight.conf.reading.unhonoured import unhonoured
from firstlight.vendordata.auth.gates import KeystoneGate, guarded
from firstlight.vendordata.auth.paste_file import check_pipeline
from firstlight.vendordata.clients import ConfiguredClients
from firstlight.vendordata.dispatch.dispatcher import Dispatcher
from firstlight.vendordata.http.app import SRIOV, make_app
from firstlight.vendordata.http.readiness import Readiness
from firstlight.vendordata.http.request_id import noted
from firstlight.vendordata.loading import load_providers
from firstlight.vendordata.metrics import Metrics
from firstlight.vendordata.policy.deploy import read_policies

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

LOG = logging.getLogger(__name__)


class Deployed(NamedTuple):
    """An application, the panel to close when it is no longer used, and what `/readyz` asks."""

    app: "WSGIApplication"
    panel: Dispatcher
    readiness: Readiness


def deploy(
    conf: cfg.ConfigOpts,
    registry: CollectorRegistry,
    clock: Callable[[], float] = time.monotonic,
) -> Deployed:
    """The application that `conf` describes. Nobody is asked yet.

    Raises:
        ConfigError: it cannot work; the message names section, option and remedy.
    """
    shape = compat_mode_of(conf)
    if shape is CompatMode.PCSS:
        prepare_pcss(conf)
    clients = ConfiguredClients(conf)
    providers = load_providers(conf, clients)
    panel = Dispatcher(
        providers,
        threads=conf.firstlight.provider_threads,
        counted=Metrics(registry),
        terms=read_policies(conf, providers, clients),
        clock=clock,
    )
    app = make_app(
        panel,
        deadline=conf.firstlight.provider_deadline,
        shape=shape,
        read_secrets=lambda: clients.vault().ready(),
    )
    LOG.info("%s: callers get the answers of %s", shape.value, ", ".join(providers) or "nobody")
    gate = guarded(app, conf, shape)
    keystone = gate.dependency if isinstance(gate, KeystoneGate) else None
    return Deployed(noted(gate, clock), panel, Readiness(keystone, providers))


def warn_of_unhonoured(conf: cfg.ConfigOpts) -> None:
    """Name, once, what those that we stand in for did at the file's word and we do not."""
    warn_of_names(conf)
    for one in unhonoured(conf, NOT_OURS):
        LOG.warning("%s", one)


def prepare_pcss(conf: cfg.ConfigOpts) -> None:
    """Enable the one provider that pcss-vendor-metadata had, behind the pipeline it had.

    Raises:
        ConfigError: `conf` asks for others, or for another pipeline.
    """
    check_pipeline(conf)
    if not conf.neutron.auth_type and not conf.service_auth.auth_type:
        raise ConfigError(
            "[neutron] auth_type is not set: there are no credentials to ask Neutron with; set it "
            "(password is usual) and the user's name and password"
        )
    conf.set_default("providers", [SRIOV])
    if conf.providers != [SRIOV]:
        raise ConfigError(
            f"[DEFAULT] providers: in the shape of pcss-vendor-metadata every path answers {SRIOV} "
            "and nothing else; for more set [firstlight] shape = firstlight, and have Nova ask "
            f"{SRIOV}@http://HOST:PORT/providers/{SRIOV}"
        )
