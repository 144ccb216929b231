"""From a configuration to a service with everything it holds."""

import logging
import os
import ssl
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from msgspec import to_builtins
from oslo_config import cfg
from prometheus_client.registry import CollectorRegistry

from firstlight.concurrency.workers import Workers
from firstlight.conf import warn_of_names
from firstlight.conf.reading.unhonoured import unhonoured
from firstlight.conf.source import reads_nova
from firstlight.documents import TreeSettings
from firstlight.health import Dependency, Watch, troubles
from firstlight.health.metrics import DependencyCollector
from firstlight.httpd.limits import Limits
from firstlight.httpd.monitoring.status import Check
from firstlight.httpd.protocol.messages import Request, Response
from firstlight.httpd.sockets.tls import server_context
from firstlight.metadata.backend import BackendError, open_backend
from firstlight.metadata.boot.deploy import open_boot_gate
from firstlight.metadata.cache.cache import Cache
from firstlight.metadata.cache.invalidation import Invalidation
from firstlight.metadata.handler import MetadataService
from firstlight.metadata.http_errors import HttpError
from firstlight.metadata.metrics import (
    BootHoldCollector,
    CacheCollector,
    TargetCacheCollector,
    TargetMetrics,
)
from firstlight.metadata.per_request.random_seed import RandomSeeds
from firstlight.metadata.settings import ALONE, ServiceSettings
from firstlight.vendordata_client import vendor_data

LOG = logging.getLogger(__name__)

# Threads that read a database in this process: it makes nobody wait, so more of them would only
# compete with the event loop.
_LOCAL = 2
_STATIC = "static vendor data"  # in /readyz
# Seconds after which everything is asked whether it is there, though no guest needed it.
_AGAIN = 30.0
# A guest posts at most 1020 bytes; a proxy's headers are a few hundred.
_BODY_LIMIT = 64 * 1024


class Deployment:
    """A metadata service and what it holds, until :meth:`close`.

    Attributes:
        service: its `handle` answers requests.
        checks, concerns: what ``/readyz`` asks.
        registry: what ``/metrics`` shows.
    """

    def __init__(self, conf: cfg.ConfigOpts) -> None:
        own = conf.firstlight
        behaviour = read_settings(conf)
        self.registry = CollectorRegistry()
        self._origin = origin = open_backend(conf)
        threads = own.cold_threads if origin.waits else min(own.cold_threads, _LOCAL)
        lookups = Workers("lookup", threads=threads, waiting=own.cold_queue)
        asks = Workers("ask", threads=own.cold_threads, waiting=own.cold_queue)
        # Of their own: slow vendordata targets must not keep security groups from being looked up,
        # nor a slow Neutron the targets from being asked. They wait for each other's batches.
        groups = Workers("security-groups", threads=own.cold_threads, waiting=own.cold_queue)
        self._pools = (lookups, asks, groups)
        self._vendordata = vendor_data(conf, observer=TargetMetrics(self.registry))
        self._door = open_boot_gate(conf, self._vendordata, origin, asks)
        self._freshness = Invalidation(conf, behaviour.secrets, nova=reads_nova(conf))
        self.service = MetadataService(
            origin.source,
            origin.ports,
            self._vendordata,
            behaviour,
            lookups=lookups,
            asks=asks,
            clock=time.monotonic,
            now=lambda: datetime.now(UTC),
            seed=RandomSeeds(os.urandom),
            addresses_told=not reads_nova(conf),  # Nova's news names no addresses
            groups=origin.groups,
            group_lookups=groups,
            shared=self._freshness.shared or ALONE,
            door=self._door,
        )
        LOG.info("instances come from %s, asked by %s", origin.name, _how(behaviour))
        self._stop_watching = origin.source.watch(self.service.changed)
        self._freshness.start(self.service.changed)
        memories: dict[str, Cache[Any]] = {
            "instance": self.service.records,
            "address": self.service.owners,
        }
        if self.service.groups is not None:
            memories["security-groups"] = self.service.groups
        self.registry.register(CacheCollector(memories, self._pools))
        self.registry.register(self._freshness)
        self.registry.register(BootHoldCollector(self._door))
        self.registry.register(TargetCacheCollector(self._vendordata.shelves()))
        self.registry.register(DependencyCollector(self.dependencies))
        self._watch = Watch(self.dependencies, again=_AGAIN)
        self._watch.start()

    @property
    def checks(self) -> Mapping[str, Check]:
        """By name, what makes the service unready."""
        return {**self._origin.checks, _STATIC: self._vendordata.missing}

    def dependencies(self) -> Sequence[Dependency]:
        """What the service can do without for a while: what is known is served meanwhile."""
        return [
            *self._origin.dependencies(),
            *self._vendordata.dependencies,
            *self._freshness.dependencies(),
        ]

    def concerns(self) -> Mapping[str, str | None]:
        """By name, what leaves the service ready and degraded."""
        return {_STATIC: self._vendordata.problem(), **troubles(self.dependencies())}

    def about(self, uuid: str) -> Any:
        """For ``/about/UUID``: what this process holds of the instance's vendor data."""
        accounts = self._vendordata.accounts(uuid)
        return {"instance": uuid, "process": os.getpid(), "targets": to_builtins(accounts)}

    def close(self) -> None:
        """Let go of threads and connections."""
        self._watch.close()
        self._stop_watching()
        self._freshness.close()
        self._door.close()
        for pool in self._pools:
            pool.close()
        self._vendordata.close()
        self._origin.close()


def _how(behaviour: ServiceSettings) -> str:
    return "signed requests of a metadata proxy" if behaviour.signed else "the client's address"


def warn_of_unhonoured(conf: cfg.ConfigOpts) -> None:
    """Name, once, what Nova's service would do at the file's word and this one does not."""
    warn_of_names(conf)
    for one in unhonoured(conf):
        LOG.warning("%s", one)


def read_settings(conf: cfg.ConfigOpts) -> ServiceSettings:
    """The options that decide what is answered."""
    secrets = (conf.neutron.metadata_proxy_shared_secret, *conf.firstlight.previous_shared_secrets)
    if conf.neutron.service_metadata_proxy and not all(secrets):
        LOG.warning(
            "[neutron] metadata_proxy_shared_secret is empty: whoever reaches this service and "
            "knows the id and project of an instance can be that instance; set a secret"
        )
    return ServiceSettings(
        documents=TreeSettings(
            dhcp_domain=conf.api.dhcp_domain,
            vendordata_providers=tuple(conf.api.vendordata_providers),
        ),
        signed=conf.neutron.service_metadata_proxy,
        behind_proxy=conf.oslo_middleware.enable_proxy_headers_parsing,
        secrets=secrets,
        ttl=conf.api.metadata_cache_expiration,
        negative_ttl=conf.firstlight.negative_cache_expiration,
        stale_limit=conf.firstlight.stale_limit,
        memory_mib=conf.firstlight.cache_size,
    )


def tls_context(conf: cfg.ConfigOpts) -> ssl.SSLContext | None:
    """What the listener speaks TLS with; None: it does not.

    Raises:
        BackendError: TLS is asked for and a file of it is missing or not what it should be.
    """
    if "metadata" not in conf.enabled_ssl_apis:
        return None
    if not conf.wsgi.ssl_cert_file or not conf.wsgi.ssl_key_file:
        raise BackendError(
            "enabled_ssl_apis names metadata: set [wsgi] ssl_cert_file and ssl_key_file"
        )
    try:
        return server_context(
            conf.wsgi.ssl_cert_file, conf.wsgi.ssl_key_file, conf.wsgi.ssl_ca_file
        )
    except OSError as error:
        raise BackendError(f"[wsgi] ssl_cert_file, ssl_key_file, ssl_ca_file: {error}") from error


def limits(conf: cfg.ConfigOpts) -> Limits:
    """What a guest may cost, however the service is run."""
    return Limits(answer_time=conf.firstlight.deadline, body=_BODY_LIMIT)


def refuse(status: int, reason: str, request: Request | None) -> Response:
    """What the HTTP server refuses, in a status that survives the way to the guest.

    Neutron's agent turns every status outside {200, 400, 403, 404, 409, 500, 502, 503, 504} into a
    broken connection (metadata-proxy §4.6), so what is the client's fault is a 400 here.
    """
    if status < 500 or status in (501, 505):
        status = 400
    return HttpError(status, reason).response(request or Request("GET", "/", {}))
