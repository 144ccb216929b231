"""The whole cloud: which services there are, and in which order they start."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from cloud.compute import Compute
from cloud.ground import Ground, in_parallel, lay
from cloud.networks import Networks
from cloud.placement import Placement
from cloud.volumes import Volumes
from lab.apis import announce, glance_api
from lab.uwsgi import Uwsgi
from support.servers.databases import free_port


@dataclass(frozen=True)
class Cloud:
    """The control plane of a cloud that serves."""

    ground: Ground
    compute: Compute
    networks: Networks
    volumes: Volumes


@contextmanager
def running(directory: Path) -> Iterator[Cloud]:
    """Everything but the hosts, until the block ends, from the environment of this interpreter."""
    with ExitStack() as stack:
        yield _started(_ground(directory, stack), stack)


def _ground(directory: Path, stack: ExitStack) -> Ground:
    (directory / "locks").mkdir()
    ground, _ = lay(directory, stack)
    # Whose project config drives belong to.
    ground.keystone.grant("nova", "service", "member")
    return ground


def _started(ground: Ground, stack: ExitStack) -> Cloud:
    placement, compute, networks, volumes = (
        kind(ground, free_port()) for kind in (Placement, Compute, Networks, Volumes)
    )
    stops = [service.stop for service in (placement, compute, networks, volumes)]
    stack.callback(lambda: in_parallel(*stops))
    # Nova's conductor and scheduler end at once if placement is not there.
    images, *_ = in_parallel(
        lambda: _images(ground),
        placement.start,
        networks.start,
        compute.make_database,
        volumes.make_database,
    )
    stops.append(images.stop)
    _announce(ground, placement.api, compute.api, volumes.api, images)
    in_parallel(compute.start, volumes.start, images.start)
    return Cloud(ground, compute, networks, volumes)


def _images(ground: Ground) -> Uwsgi:
    room = ground.room("glance")
    return glance_api(ground.environment, room, free_port(), ground.keystone)


def _announce(ground: Ground, *apis: Uwsgi) -> None:
    """Put them into the service catalog."""
    for api, (service_type, path) in zip(apis, _CATALOG, strict=True):
        announce(ground.keystone, service_type, api.url + path)


_CATALOG = (
    ("placement", ""),
    ("compute", "/v2.1"),
    ("block-storage", "/v3"),
    ("image", ""),
)
