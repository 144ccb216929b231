"""The machines one can choose from, and the adapters each begins with.

Every id is worked out from the machine's name, so that a configuration file written for one run
fits the next. The numbers are a small machine's; nothing here was read from hardware.
"""

import uuid
from typing import Any, NamedTuple

from zhmcclient.mock import FakedSession

_IDS = uuid.UUID("5f3f6f5e-8d0b-5d5e-9f43-2f0a6f1a1d00")

Properties = dict[str, Any]


class Machine(NamedTuple):
    """A generation: what its HMC says of itself, and what it can do."""

    name: str
    type: str
    hmc_version: str
    api_version: str
    se_version: str
    #: The firmware feature dpm-storage-management: storage groups instead of HBAs.
    storage_groups: bool
    #: NICs sit on adapter ports, and there are no virtual switches.
    adapter_ports: bool = False
    api_features: tuple[str, ...] | None = None

    @property
    def level(self) -> tuple[int, ...]:
        """The level of its support element, by which it knows more or less of the API."""
        return tuple(int(part) for part in self.se_version.split("."))

    def id(self, name: str) -> str:
        """The object id of something on this machine."""
        return str(uuid.uuid5(_IDS, f"{self.name}/{name}"))

    @property
    def cpc(self) -> str:
        """The machine's own object id."""
        return self.id("cpc")

    @property
    def storage_ports(self) -> tuple[str, ...]:
        """What physical_storage_adapter_mappings may name."""
        return tuple(f"{self.id(name)}:0" for name in ("fcp-1", "fcp-2"))

    @property
    def network_ports(self) -> tuple[str, ...]:
        """What physical_network_adapter_mappings may name, after the physical network's name."""
        return tuple(f"{self.id(name)}:{port}" for name, port in _network_ports(self))


MACHINES = {
    machine.name: machine
    for machine in (
        Machine("z13", "2964", "2.13.1", "1.8", "2.13.1", False),
        Machine("z14", "3906", "2.14.1", "2.37", "2.14.1", True),
        Machine("z16", "3931", "2.16.0", "4.10", "2.16.0", True, False, ()),
        Machine(
            "z17",
            "9175",
            "2.17.0",
            "4.40",
            "2.17.0",
            storage_groups=True,
            adapter_ports=True,
            api_features=("network-express-support",),
        ),
    )
}

_OSA_PORTS = (("osa-1", 0), ("osa-2", 0), ("osa-2", 1), ("hipersockets-1", 0))


def _network_ports(machine: Machine) -> tuple[tuple[str, int], ...]:
    return (*_OSA_PORTS, ("express-1", 0)) if machine.adapter_ports else _OSA_PORTS


def build(machine: Machine) -> FakedSession:
    """A faked HMC that manages one such machine, without partitions."""
    session = FakedSession("mock", f"HMC-{machine.name}", machine.hmc_version, machine.api_version)
    session.hmc.add_resources(
        {"consoles": [{"properties": {"name": f"HMC-{machine.name}", "class": "console"}}]}
    )
    cpc = session.hmc.cpcs.add(_cpc(machine))
    cpc.api_features = list(machine.api_features or ())
    for name in ("fcp-1", "fcp-2"):
        _add_adapter(cpc, _adapter(machine, name, "fcp", "ficon"), (0,))
    _add_adapter(cpc, _adapter(machine, "fcp-3", "not-configured", "ficon"), (0,))
    _add_adapter(cpc, _adapter(machine, "osa-1", "osd", "osa"), (0,))
    _add_adapter(cpc, _adapter(machine, "osa-2", "osd", "osa"), (0, 1))
    _add_adapter(cpc, _adapter(machine, "hipersockets-1", "hipersockets", "hipersockets"), (0,))
    if machine.adapter_ports:
        _add_network_express(machine, cpc)
    else:
        _add_virtual_switches(machine, cpc)
    return session


def _cpc(machine: Machine) -> Properties:
    return {
        "object-id": machine.cpc,
        "name": machine.name.upper(),
        "description": f"A {machine.name} that is not there",
        "machine-type": machine.type,
        "machine-model": "MOCK",
        "machine-serial-number": "000000000000",
        "dpm-enabled": True,
        "status": "active",
        "has-unacceptable-status": False,
        "se-version": machine.se_version,
        "processor-count-ifl": 20,
        "processor-count-general-purpose": 0,
        "storage-total-installed": 1048576,
        "storage-customer": 1048576,
        "maximum-partitions": 85,
        "available-features-list": [
            {
                "name": "dpm-storage-management",
                "description": "Storage groups",
                "state": machine.storage_groups,
            }
        ],
    }


def _adapter(machine: Machine, name: str, kind: str, family: str) -> Properties:
    return {
        "object-id": machine.id(name),
        "name": name.upper(),
        "description": "",
        "type": kind,
        "adapter-family": family,
        "adapter-id": f"{sum(name.encode()) % 0x200:03x}",
        "status": "active",
        "state": "online",
        "maximum-total-capacity": 1920,
        "configured-capacity": 1920,
        "allowed-capacity": 1920,
        "used-capacity": 0,
    }


def _add_adapter(cpc: Any, properties: Properties, ports: tuple[int, ...]) -> Any:
    adapter = cpc.adapters.add({**properties, "port-count": len(ports)})
    for port in ports:
        adapter.ports.add(
            {"element-id": str(port), "index": port, "name": f"Port {port}", "description": ""}
        )
    return adapter


def _add_network_express(machine: Machine, cpc: Any) -> None:
    # zhmcclient's mock gives ports only to families that it knows.
    adapter = _add_adapter(cpc, _adapter(machine, "express-1", "osh", "osa"), (0,))
    adapter.properties["adapter-family"] = "network-express"


def _add_virtual_switches(machine: Machine, cpc: Any) -> None:
    for name, port in _OSA_PORTS:
        adapter = machine.id(name)
        cpc.virtual_switches.add(
            {
                "object-id": machine.id(f"{name}/{port}/virtual-switch"),
                "name": f"{name.upper()} port {port}",
                "description": "",
                "type": "hipersockets" if name.startswith("hipersockets") else "osd",
                "backing-adapter-uri": f"/api/adapters/{adapter}",
                "port": port,
                "connected-vnic-uris": [],
            }
        )
