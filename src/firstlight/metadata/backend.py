"""Where everything about an instance comes from: the embedded store, or Nova and Neutron."""

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from oslo_config import cfg

from firstlight.conf.source import REMEDY, lost_databases, reads_nova
from firstlight.health import Dependency
from firstlight.httpd.monitoring.status import Check
from firstlight.neutron import NeutronMisconfigured, open_neutron
from firstlight.sources import Source
from firstlight.sources.nova import BadConnection as BadNova
from firstlight.sources.nova import TooOld, open_nova
from firstlight.sources.nova.deploy import template_trouble
from firstlight.sources.ports import Ports, SecurityGroups
from firstlight.sources.store import BadConnection, Store, StorePorts

LOG = logging.getLogger(__name__)


class BackendError(Exception):
    """The configuration is readable but cannot be served; the message says what to change."""


class Backend(NamedTuple):
    """`groups` None: instances carry their security groups. `waits`: a look-up asks a server."""

    name: str
    source: Source
    ports: Ports
    groups: SecurityGroups | None
    waits: bool
    checks: Mapping[str, Check]  # what makes the service unready
    dependencies: Callable[[], Sequence[Dependency]]  # what leaves it degraded while it is away
    close: Callable[[], None]


def open_backend(conf: cfg.ConfigOpts) -> Backend:
    """What ``[firstlight] source`` asks for; it is first asked when it is first used.

    Raises:
        BackendError: a URL or an option of it cannot be used.
    """
    if reads_nova(conf):
        return _nova(conf)
    store = open_store(conf)
    return Backend(
        name=store.name,
        source=store,
        ports=StorePorts(store),
        groups=None,
        waits=store.is_remote,
        checks={"store": store.healthy},
        dependencies=tuple,
        close=store.close,
    )


def open_store(conf: cfg.ConfigOpts) -> Store:
    """The embedded store.

    Raises:
        BackendError: its URL cannot be used, or the files are Nova's and lack Nova's databases.
    """
    if trouble := lost_databases(conf):
        raise BackendError(f"{trouble}: {REMEDY}")
    try:
        return Store.open(
            conf.store.connection,
            pool_size=conf.store.pool_size or conf.firstlight.cold_threads,
            timeout=conf.store.timeout,
        )
    except BadConnection as error:
        raise BackendError(f"[store] connection: {error}") from error


def _nova(conf: cfg.ConfigOpts) -> Backend:
    try:
        neutron = open_neutron(conf, threads=conf.firstlight.cold_threads)
        nova = open_nova(conf, pool_size=conf.firstlight.cold_threads)
        for trouble in nova.prepare():
            LOG.warning("%s; its instances are served as soon as it answers", trouble)
    except (BadNova, NeutronMisconfigured, TooOld) as error:
        raise BackendError(str(error)) from error
    unusable = template_trouble(conf.injected_network_template)
    if unusable is not None:
        LOG.warning(
            "%s; servers on networks that were injected into them are answered 500", unusable
        )

    def close() -> None:
        nova.close()
        neutron.close()

    return Backend(
        name="Nova's databases",
        source=nova,
        ports=neutron,
        groups=neutron,
        waits=True,
        checks={"nova": nova.healthy},
        dependencies=lambda: [*nova.dependencies(), neutron.dependency],
        close=close,
    )
