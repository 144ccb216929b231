"""Real Nova, all of its services in one process by its own fixtures, on a served HMC.

Neutron and Cinder are Nova's stand-ins; only what a DPM cloud's would say is added to them: ports
bound by our ML2 driver, volumes reached by Fibre Channel.
"""

import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from nova.conf import CONF
from nova.tests.functional import integrated_helpers
from oslo_utils import uuidutils
from urllib3.connection import HTTPSConnection
from urllib3.connectionpool import HTTPSConnectionPool
from wsgi_intercept import requests_intercept

import nova_first  # noqa: F401
from firstlight_dpm import backing, options
from firstlight_dpm.mock import serve

HOST = "subset1"
#: Of Cinder's stand-in: what a volume's array listens on.
TARGETS = ["500507680b244ac1", "500507680b244ac2"]


@contextmanager
def one_process(machine: str, **dpm: Any) -> Iterator["OneProcess"]:
    """A cloud with one compute host on a machine of that generation; `dpm` are its options."""
    cloud = OneProcess(machine, dpm)
    try:
        cloud.setUp()
        yield cloud
    finally:
        cloud.tearDown()
        cloud.doCleanups()


class OneProcess(integrated_helpers._IntegratedTestBase):
    """Nova's own test case, as a thing to be held: pytest's tests are functions."""

    ADMIN_API = True
    microversion = "latest"

    def __init__(self, machine: str, dpm: dict[str, Any]) -> None:
        super().__init__("runTest")
        self._machine = machine
        self._dpm = dpm

    def runTest(self) -> None:  # noqa: N802 - unittest's name, which it wants to be there
        """Nothing: see one_process."""

    def setUp(self) -> None:
        """The HMC is there before any service starts."""
        self._ending = ExitStack()
        self.addCleanup(self._ending.close)
        directory = self._ending.enter_context(tempfile.TemporaryDirectory())
        self.hmc = self._ending.enter_context(serve(self._machine, Path(directory)))
        self._leave_https_alone()
        super().setUp()

    def _leave_https_alone(self) -> None:
        """Nova's fixtures catch requests to its APIs, which are HTTP; the HMC's are HTTPS."""
        install = requests_intercept.install

        def install_http() -> None:
            install()
            HTTPSConnectionPool.ConnectionCls = HTTPSConnection

        requests_intercept.install = install_http
        self.addCleanup(setattr, requests_intercept, "install", install)

    def _setup_services(self) -> None:
        options.register_compute(CONF)
        paste = Path(sys.prefix) / "etc" / "nova" / "api-paste.ini"
        self.flags(group="wsgi", api_paste_config=str(paste))
        self.flags(compute_driver="dpm.DPMDriver", my_ip="192.0.2.10")
        self.flags(group="dpm", **self.dpm_options())
        super()._setup_services()

    def _setup_compute_service(self) -> Any:
        return self._start_compute(HOST)

    def dpm_options(self) -> dict[str, Any]:
        """What nova_dpm.conf says in ``[dpm]``."""
        return {
            **self.hmc.options,
            "max_processors": 8,
            "max_memory": 65536,
            "physical_storage_adapter_mappings": list(self.hmc.machine.storage_ports),
            **self._dpm,
        }

    # What Neutron and Cinder would say.

    def port(self, **details: Any) -> str:
        """A new port, bound as our ML2 driver binds it; returns its UUID."""
        number = len(self.neutron._ports)
        plugged = self.backing()
        port = {
            **self.neutron.port_1,
            "id": uuidutils.generate_uuid(),
            "mac_address": f"fa:16:3e:00:00:{number:02x}",
            "fixed_ips": [
                {
                    "ip_address": f"192.168.1.{100 + number}",
                    "subnet_id": self.neutron.subnet_1["id"],
                }
            ],
            "binding:vif_type": plugged.vif_type,
            "binding:vif_details": plugged.vif_details | details,
        }
        self.neutron._ports[port["id"]] = port
        return str(port["id"])

    def backing(self) -> backing.Backing:
        """What the ports of this cloud's one network are bound to."""
        machine = self.hmc.machine
        if machine.adapter_ports:
            return backing.Backing.parse(machine.network_ports[0])
        return backing.Backing(machine.id("osa-1/0/virtual-switch"))

    def volume(self, **data: Any) -> str:
        """A new volume, mapped to whatever ports ask for it; returns its UUID."""
        volume = uuidutils.generate_uuid()
        self.cinder.VOLUME_CONNECTION_INFO[volume] = {
            "driver_volume_type": "fibre_channel",
            "data": {"target_wwn": TARGETS, "target_lun": 1, **data},
        }
        self.addCleanup(self.cinder.VOLUME_CONNECTION_INFO.pop, volume)
        return volume

    def request(self, ports: list[str], volume: str, **more: Any) -> dict[str, Any]:
        """The body of a request for a server that boots from a volume."""
        server = self._build_server(networks=[{"port": port} for port in ports], **more)
        server.pop("imageRef")
        server["block_device_mapping_v2"] = [
            {
                "boot_index": 0,
                "uuid": volume,
                "source_type": "volume",
                "destination_type": "volume",
            }
        ]
        return {"server": server}

    def make_server(self, ports: list[str], volume: str, status: str = "ACTIVE") -> dict[str, Any]:
        """A server, once it has the status."""
        server = self.api.post_server(self.request(ports, volume))
        return self._wait_for_state_change(server, status)

    # What the HMC has.

    @property
    def machine(self) -> Any:
        """The faked CPC."""
        return self.hmc.console.mock.hmc.cpcs.list()[0]

    def partitions(self) -> list[Any]:
        """All partitions of the machine."""
        return list(self.machine.partitions.list())

    def partition(self) -> Any:
        """The only one."""
        (partition,) = self.partitions()
        return partition

    def left(self) -> dict[str, list[str]]:
        """The names of whatever is on the HMC that a server needs."""
        kept = self.partitions()
        return {
            "partitions": [one.name for one in kept],
            "nics": [nic.name for one in kept for nic in one.nics.list()],
            "storage groups": [one.name for one in self.hmc.console.groups.list()],
        }


NOTHING = {"partitions": [], "nics": [], "storage groups": []}
