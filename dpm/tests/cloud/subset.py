"""A host of the cloud: a CPC subset, which is a nova-compute and a neutron-dpm-agent of one name.

It is configured and started as docs/dpm/getting-started.md says, for another machine than the
page's.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cloud import ini, page
from cloud.ground import Ground
from cloud.program import Program
from cloud.walk import PATIENCE
from cloud.whole import Cloud
from firstlight_dpm.mock import Served
from support.servers.databases import eventually

PHYSNET = "provider"
NOVA_CONF = "/etc/nova/subset_1/nova.conf"
AGENT_CONF = "/etc/neutron/subset_1/neutron_dpm_agent.conf"


class Subset:
    """The pair of services; whoever made it ends it with :meth:`kill`.

    Args:
        name: its ``host``.
        network_port: which of the machine's ports is cabled to the network :data:`PHYSNET`.

    Attributes:
        conf: its nova.conf.
    """

    def __init__(self, cloud: Cloud, name: str, console: Served, network_port: str) -> None:
        ground = cloud.ground
        room = ground.room(name)
        storage = {"physical_storage_adapter_mappings": console.machine.storage_ports}
        network = {"physical_network_adapter_mappings": f"{PHYSNET}:{network_port}"}
        self.name = name
        self.conf = room / Path(NOVA_CONF).name
        self.compute = _as_the_page_says(
            ground,
            room,
            NOVA_CONF,
            cloud.compute.common,
            {
                "DEFAULT": {"host": name, "state_path": str(room)},
                "dpm": {**console.options, **storage, "config_drive_writer": "volume"},
            },
        )
        self.agent = _as_the_page_says(
            ground,
            room,
            AGENT_CONF,
            {
                "DEFAULT": {"host": name, "transport_url": ground.bus},
                "dpm": {**console.options, **network},
                "AGENT": {"report_interval": "5"},  # seconds; what it has is seen by reports
            },
        )

    def start(self) -> None:
        """Start both."""
        self.compute.start()
        self.agent.start()

    def starts(self) -> int:
        """How often nova-compute has come so far that the driver is content."""
        return self.compute.log.read_text().count(f"host {self.name} is a subset of machine")

    def await_driver(self, starts: int = 1) -> None:
        """Return when nova-compute has come that far so many times; fail if it has ended."""
        assert eventually(lambda: self.starts() >= starts or not self.compute.runs(), PATIENCE), (
            self.compute.said()
        )
        assert self.compute.runs(), self.compute.said()

    def kill(self) -> None:
        """End both at once."""
        self.compute.kill()
        self.agent.kill()


@contextmanager
def running(cloud: Cloud, name: str, console: Served, network_port: str) -> Iterator[Subset]:
    """Such a pair until the block ends; its driver has met the machine."""
    subset = Subset(cloud, name, console, network_port)
    try:
        subset.start()
        subset.await_driver()
        yield subset
    finally:
        subset.kill()


def _as_the_page_says(ground: Ground, room: Path, path: str, *sections: ini.Sections) -> Program:
    """The program that reads the file `path` there; `sections` are over those of the page."""
    text = page.PAGE.read_text()
    conf = ini.write(room / Path(path).name, page.file(text, path), *sections)
    program, *words = page.service(text, path)
    return ground.program(room, program, *(conf if word == path else word for word in words))
