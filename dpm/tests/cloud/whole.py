"""The whole cloud: which services there are, and in which order they start."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from cloud.compute import Compute
from cloud.ground import Ground
from cloud.networks import Networks
from cloud.placement import placement
from cloud.volumes import Volumes
from lab.apis import announce, glance_api
from lab.uwsgi import Uwsgi
from servers import free_port

_AT_ONCE = 3  # what starts, mostly computes


@dataclass(frozen=True)
class Cloud:
    """The control plane of a cloud that serves."""

    ground: Ground
    compute: Compute
    networks: Networks
    volumes: Volumes


@contextmanager
def running(ground: Ground) -> Iterator[Cloud]:
    """Everything but the hosts, until the block ends."""
    compute, networks, volumes = (
        kind(ground, free_port()) for kind in (Compute, Networks, Volumes)
    )
    inventory, images = in_parallel(
        [
            lambda: placement(ground, free_port()),
            lambda: glance_api(
                ground.environment, ground.room("glance"), free_port(), ground.keystone
            ),
            compute.make_database,
            networks.make_database,
            volumes.make_database,
        ]
    )[:2]
    # Nova's conductor and scheduler end at once if placement is not there.
    first, then = (inventory, networks), (compute, volumes, images)
    with ExitStack() as stack:
        for service in (*first, *then):
            stack.callback(service.stop)
        _announce(ground, compute.api, networks.api, volumes.api, inventory, images)
        for services in (first, then):
            in_parallel([service.start for service in services])
        yield Cloud(ground, compute, networks, volumes)


def in_parallel(jobs: Sequence[Callable[[], object]]) -> list:
    """Do them; what each gave, in their order."""
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return [future.result() for future in [pool.submit(job) for job in jobs]]


def _announce(ground: Ground, *apis: Uwsgi) -> None:
    """Put them into the service catalog."""
    for api, (service_type, path) in zip(apis, _CATALOG, strict=True):
        announce(ground.keystone, service_type, api.url + path)


_CATALOG = (
    ("compute", "/v2.1"),
    ("network", ""),
    ("block-storage", "/v3"),
    ("placement", ""),
    ("image", ""),
)
