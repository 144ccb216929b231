"""Real Nova, all of its services in one process by its own fixtures, on a served HMC.

Neutron and Cinder are Nova's stand-ins; only what a DPM cloud's would say is added to them: ports
bound by our ML2 driver, volumes reached by Fibre Channel. The conftest of whoever imports this has
imported nova_first.
"""

import sys
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from fixtures import MonkeyPatch
from nova import thread_pool_factory
from nova.conf import CONF
from nova.context import get_admin_context
from nova.exception import CinderConnectionFailed
from nova.objects.instance import Instance
from nova.tests.functional import integrated_helpers
from nova.tests.functional.api.client import OpenStackApiException
from nova.virt import node
from oslo_utils import uuidutils
from urllib3.connection import HTTPSConnection
from urllib3.connectionpool import HTTPSConnectionPool
from wsgi_intercept import requests_intercept

from firstlight_dpm import backing, options
from firstlight_dpm.mock import serve
from support.servers.databases import eventually

# Whatever asks for a pool of threads later would be refused. A service that is stopped ends in the
# background, maybe after Nova's fixture has taken back that this does nothing.
thread_pool_factory.shutdown_all_executors = lambda: None

HOST = "subset1"
#: Of Cinder's stand-in: what a volume's array listens on.
TARGETS = ["500507680b244ac1", "500507680b244ac2"]


@contextmanager
def one_process(machine: str, **dpm: Any) -> Iterator["Cloud"]:
    """A cloud with one compute host on a machine of that generation; `dpm` are its options."""
    cloud = Cloud(machine, dpm)
    try:
        cloud.setUp()
        yield cloud
    finally:
        cloud.tearDown()
        cloud.doCleanups()


def _own_identity(driver: Any, refresh: bool = False) -> dict[str, str]:
    return {driver._partitions.node: driver._share.host}


class Cloud(integrated_helpers._IntegratedTestBase):
    """Nova's own test case, as a thing to be held: pytest's tests are functions."""

    __test__ = False
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
        identity = "firstlight_dpm.compute.driver.DPMDriver.get_nodenames_by_uuid"
        self.useFixture(MonkeyPatch(identity, _own_identity))
        super()._setup_services()

    def _setup_compute_service(self) -> Any:
        return self.start_host(HOST)

    def start_host(self, host: str) -> Any:
        """nova-compute of one more host, or the same again, in place of a process of its own.

        Nova keeps the compute node's identity for the process; here each host keeps its own.
        """
        node.LOCAL_NODE_UUID = str(uuid.uuid5(uuid.NAMESPACE_DNS, host))
        if running := self.computes.pop(host, None):
            running.stop()
        return self._start_compute(host)

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

    def image(self) -> str:
        """A new image for this architecture; returns its UUID."""
        now = datetime.now(UTC)
        image = {
            "id": uuidutils.generate_uuid(),
            "name": "s390x",
            "created_at": now,
            "updated_at": now,
            "deleted_at": None,
            "deleted": False,
            "status": "active",
            "container_format": "bare",
            "disk_format": "raw",
            "min_disk": 0,
            "size": 1,
            "properties": {"hw_architecture": "s390x"},
        }
        self.glance.create(None, image)
        return str(image["id"])

    def volume(self, uuid: str = "", **data: Any) -> str:
        """A new volume, mapped to whatever ports ask for it; returns its UUID."""
        volume = uuid or uuidutils.generate_uuid()
        self.cinder.VOLUME_CONNECTION_INFO[volume] = {
            "driver_volume_type": "fibre_channel",
            "data": {"target_wwn": TARGETS, "target_lun": 1, **data},
        }
        self.addCleanup(self.cinder.VOLUME_CONNECTION_INFO.pop, volume)
        return volume

    def request(self, ports: list[str], volume: str, **more: Any) -> dict[str, Any]:
        """The body of a request for a server that boots from a volume."""
        networks = [{"port": port} for port in ports] or "none"
        server = self._build_server(networks=networks) | more
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

    def make_server(
        self, ports: list[str], volume: str, status: str = "ACTIVE", **more: Any
    ) -> dict[str, Any]:
        """A server, once it has the status."""
        server = self.api.post_server(self.request(ports, volume, **more))
        return self._wait_for_state_change(server, status)

    def ended_server(self, ports: list[str], volume: str, **more: Any) -> dict[str, Any]:
        """A server, once Nova has made it or given it up."""
        return self.ended(self.api.post_server(self.request(ports, volume, **more)))

    def ended(self, server: dict[str, Any]) -> dict[str, Any]:
        """The same, once it has been asked for."""

        def ended() -> bool:
            return self._show_server(server)["status"] in ("ACTIVE", "ERROR")

        assert eventually(ended, 60), self._show_server(server)
        return dict(self._show_server(server))

    def attach_volume_in_vain(self, server: dict[str, Any], volume: str) -> None:
        """Ask for a volume that the server does not get."""
        body = {"volumeAttachment": {"volumeId": volume}}
        with pytest.raises(OpenStackApiException):
            self.api.post_server_volume(server["id"], body)

    @contextmanager
    def no_mapping(self) -> Iterator[None]:
        """Cinder maps no volume until the block ends: ``no such luck``."""

        def refuse(*_: object, **__: object) -> None:
            raise CinderConnectionFailed(reason="no such luck")

        with MonkeyPatch("nova.volume.cinder.API.attachment_update", refuse):
            yield

    def log(self) -> str:
        """What Nova's services have logged, from information on."""
        return str(self.stdlog.logger.output)

    def instance(self, server: dict[str, Any]) -> Any:
        """Nova's own object of a server."""
        return Instance.get_by_uuid(get_admin_context(), server["id"])

    def compare(self, server: dict[str, Any]) -> None:
        """What nova-compute does now and then: compare the server with its partition."""
        instance = self.instance(server)
        manager = self.computes[instance.host].manager
        manager._query_driver_power_state_and_sync(get_admin_context(), instance)

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

    def wwpns(self) -> list[str]:
        """Of the only partition's storage ports, in the order of the configuration."""
        if not self.hmc.machine.storage_groups:
            return [hba.properties["wwpn"] for hba in self.partition().hbas.list()]
        (group,) = self.hmc.console.groups.list()
        return [
            one.properties["world-wide-port-name-info"]["world-wide-port-name"]
            for one in group.virtual_storage_resources.list()
        ]

    def boot_path(self) -> tuple[str, str, str]:
        """Initiator, target and LUN that the only partition boots by."""
        properties = self.partition().properties
        if properties["boot-device"] == "storage-adapter":
            hba = self.hmc.console.resource(properties["boot-storage-device"])
            return (
                hba.properties["wwpn"],
                properties["boot-world-wide-port-name"],
                properties["boot-logical-unit-number"],
            )
        assert properties["boot-device"] == "storage-volume"
        volume = self.hmc.console.resource(properties["boot-storage-volume"])
        path = volume.properties["paths"][0]
        return (
            self.wwpns()[0],
            path["target-world-wide-port-name"],
            path["logical-unit-number"],
        )

    def told_mac(self, nic: dict[str, Any]) -> str:
        """The MAC address that the guest's NIC has, or that the guest is told to give it."""
        if self.hmc.machine.level >= (2, 14):
            return str(nic["mac-address"])
        (item,) = (one for one in self.told() if one.startswith(nic["device-number"].lower()))
        mac = item.rstrip(";").split(",")[2]
        return ":".join(mac[at : at + 2] for at in range(0, 12, 2))

    def told(self) -> list[str]:
        """What the only partition's guest is told of its NICs on its command line."""
        return self.partition().properties["boot-os-specific-parameters"].split()

    def connector(self, volume: str) -> dict[str, Any]:
        """What Cinder was told of the server that a volume is attached to."""
        (attachment,) = self.cinder.volume_to_attachment[volume].values()
        return dict(attachment["connector"])

    def left(self) -> dict[str, list[str]]:
        """The names of whatever is on the HMC that a server needs."""
        kept = self.partitions()
        return {
            "partitions": [one.name for one in kept],
            "nics": [nic.name for one in kept for nic in one.nics.list()],
            "storage groups": [one.name for one in self.hmc.console.groups.list()],
        }


NOTHING = {"partitions": [], "nics": [], "storage groups": []}
