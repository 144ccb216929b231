"""The parts of the demo, put together in one process."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from socket import socket

from oslo_log import log
from prometheus_client.registry import CollectorRegistry

from firstlight import conf as configuration
from firstlight.concurrency.workers import Workers
from firstlight.demo import files
from firstlight.demo.front import front
from firstlight.httpd.limits import Limits
from firstlight.httpd.listener import Listener
from firstlight.httpd.server import Server
from firstlight.httpd.wsgi import WsgiHandler
from firstlight.instance import Instance
from firstlight.metadata.deploy import Deployment, limits, refuse
from firstlight.services.serving import STATUS, serving
from firstlight.sources.store import Store
from firstlight.sources.store.documents.files import load
from firstlight.vendordata.deploy import deploy as deploy_vendordata

FRONT, METADATA, VENDORDATA = "front", "metadata", "vendordata"


def prepare(directory: Path, ports: files.DemoPorts) -> Instance:
    """Write the files and put the sample instance into the store; returns it."""
    files.write(directory, ports)
    store = Store.open(f"sqlite:///{directory}/store.sqlite")
    try:
        [loaded] = load([str(directory / "web-1.yaml")])
        return store.instance(loaded.instance.uuid) or store.add(loaded.instance)
    finally:
        store.close()


@contextmanager
def road(directory: Path, instance: Instance, opened: Mapping[str, socket]) -> Iterator[Server]:
    """A server with every part listening."""
    conf = configuration.load("metadata", [str(directory / "metadata.conf")])
    log.setup(conf, "firstlight")
    with ExitStack() as stack:
        metadata = Deployment(conf)
        stack.callback(metadata.close)
        vendordata = stack.enter_context(_vendordata(directory, metadata.registry))
        handler = metadata.service.handle
        guests = limits(conf)
        listeners = [
            Listener(opened[FRONT], front(handler, instance, files.SECRET), FRONT, limits=guests),
            Listener(opened[METADATA], handler, METADATA, trust_request_id=True, limits=guests),
            Listener(opened[VENDORDATA], vendordata, VENDORDATA),
        ]
        yield stack.enter_context(
            serving(
                listeners,
                opened[STATUS],
                checks=metadata.checks,
                concerns=metadata.concerns,
                about=metadata.about,
                registry=metadata.registry,
                access_log=conf.firstlight.access_log,
                limits=Limits(answer_time=conf.firstlight.deadline),
                refusal=refuse,
            )
        )


@contextmanager
def _vendordata(directory: Path, registry: CollectorRegistry) -> Iterator[WsgiHandler]:
    conf = configuration.load("vendordata", [str(directory / "vendordata.conf")])
    app, panel, _readiness = deploy_vendordata(conf, registry)
    pool = Workers("vendordata", threads=4, waiting=64)
    try:
        yield WsgiHandler(app, pool)
    finally:
        pool.close()
        panel.close()
