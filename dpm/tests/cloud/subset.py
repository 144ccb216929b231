"""A host of the cloud: a CPC subset, which is a nova-compute and a neutron-dpm-agent of one name."""

from collections.abc import Mapping
from contextlib import ExitStack

from cloud import ini
from cloud.program import Program
from cloud.whole import Cloud
from firstlight_dpm.mock import Served

PHYSNET = "provider"
MAX_PROCESSORS, MAX_MEMORY = 8, 65536


class Subset:
    """The pair of services; whoever made it ends it with :meth:`stop`.

    Args:
        network_port: which of the machine's ports is cabled to the network :data:`PHYSNET`.
    """

    def __init__(self, cloud: Cloud, name: str, console: Served, network_port: str) -> None:
        self.name = name
        room = cloud.ground.room(name)
        dpm = {"dpm": console.options}
        self.compute: Program = cloud.compute.host(room, name, dpm, _compute(console))
        self.agent: Program = cloud.networks.agent(room, name, dpm, _agent(network_port))

    def start(self) -> None:
        """Start both."""
        self.compute.start()
        self.agent.start()

    def stop(self) -> None:
        """End both."""
        with ExitStack() as stack:
            stack.callback(self.compute.stop)
            stack.callback(self.agent.stop)


def _compute(console: Served) -> ini.Sections:
    storage: Mapping[str, list[str]] = {
        "physical_storage_adapter_mappings": list(console.machine.storage_ports)
    }
    limits = {"max_processors": str(MAX_PROCESSORS), "max_memory": str(MAX_MEMORY)}
    return {"DEFAULT": {"compute_driver": "dpm.DPMDriver"}, "dpm": {**limits, **storage}}


def _agent(network_port: str) -> ini.Sections:
    return {"dpm": {"physical_network_adapter_mappings": [f"{PHYSNET}:{network_port}"]}}
