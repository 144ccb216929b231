"""A server asks who it is: ``firstlight metadata`` on this Nova's databases, with ``dpm_nics``.

It asks as Neutron's metadata agent does on its behalf.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from firstlight_guest.dpm.nics import cards

from cloud.answering import Answering, answering
from cloud.machine import Inspector
from cloud.subset import Subset
from cloud.tenant import FUTURE, Tenant
from cloud.walk import PATIENCE
from cloud.whole import Cloud
from support.servers.databases import eventually

pytestmark = pytest.mark.filterwarnings(FUTURE)


class Nic(NamedTuple):
    """What a guest has to know of one."""

    devno: str
    mac: str


@pytest.fixture(scope="module")
def service(cloud: Cloud, subset_1: Subset) -> Iterator[Answering]:
    """Reads this Nova's databases, and the HMC of this host's file."""
    with answering(cloud, [subset_1.conf]) as service:
        yield service


@pytest.fixture
def server(tenant: Tenant) -> Any:
    """The page's."""
    return tenant.cloud.compute.find_server("dpm_server1", details=True)


def test_a_server_is_told_who_it_is(service: Answering, server: Any) -> None:
    """Its id and name are Nova's."""
    told = service.ask(server, "meta_data.json")
    assert (told["uuid"], told["name"]) == (server.id, "dpm_server1")


def test_a_server_is_told_its_nics(
    service: Answering, server: Any, tenant: Tenant, machine: Inspector
) -> None:
    """The guest's own tools read the device numbers that the HMC gave, with Neutron's MACs; of a
    NIC that comes while it runs, too."""
    assert _told(service, server) == _there(machine, tenant, server)
    network = tenant.cloud.network.find_network("provider")
    port = tenant.cloud.network.create_port(network_id=network.id)
    try:
        tenant.cloud.compute.create_server_interface(server, port_id=port.id)
        assert eventually(lambda: len(_told(service, server)) == 2, PATIENCE)
        assert _told(service, server) == _there(machine, tenant, server)
    finally:
        tenant.cloud.network.delete_port(port)


def _told(service: Answering, server: Any) -> dict[str, Nic]:
    told = service.ask(server, "vendor_data2.json")["dpm_nics"]
    ports = [one["port_id"] for one in told["nics"]]
    read = [Nic(card.devno, card.mac) for card in cards(told)]
    return dict(zip(ports, read, strict=True))


def _there(machine: Inspector, tenant: Tenant, server: Any) -> dict[str, Nic]:
    partition = machine.partition("subset_1", server.id)
    assert partition is not None
    macs = {port.id: port.mac_address for port in tenant.cloud.network.ports(device_id=server.id)}
    return {
        port: Nic(nic.get_property("device-number").lower(), macs[port])
        for nic in partition.nics.list(full_properties=True)
        for port in [nic.name.removeprefix("OpenStack_Port_")]
    }
