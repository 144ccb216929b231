"""From a guest in a namespace to the real metadata service and back, in one process of the relay.

Law 5's proof of a guest's MAC, the namespace's neighbour table, is asked here as well.
"""

import json
import signal
from ipaddress import ip_address
from uuid import uuid4

import pytest

from agent_process import metadata_service
from firstlight.relay.broker import inside
from firstlight.relay.contract import Guest, Place, Via
from firstlight.relay.neighbours import Neighbours
from namespaces import LINK_LOCAL, MAC, METADATA, METADATA_IPV6
from relay_host import PATIENCE, RelayHost
from servers import eventually
from store_samples import interface, server, uuid

OVER_IPV6 = f"[{METADATA_IPV6}%25eth0]"


@pytest.fixture(scope="module")
def tenants():
    return [str(uuid4()), str(uuid4())]


@pytest.fixture(scope="module")
def host(tmp_path_factory, tenants):
    servers = [
        server(number, interfaces=(interface("192.0.2.10", "192.0.2.0/24", network),))
        for number, network in enumerate(tenants)
    ]
    with metadata_service(tmp_path_factory.mktemp("metadata"), *servers) as service:
        agent = service.asked_by_relay()
        with RelayHost(user=0, more=agent, agent_socket="", resolver="store") as host:
            yield host


def told(guest, *arguments):
    url = f"http://{METADATA}/openstack/latest/meta_data.json"
    return guest.curl(*arguments, url).stdout


def test_each_tenant_gets_its_own(host, tenants):
    """Two servers with the same address in two networks get their own metadata, each its own."""
    guests = [host.networks.isolated(f"qdhcp-{network}") for network in tenants]
    for number, guest in enumerate(guests):
        assert eventually(lambda g=guest: told(g).startswith(b"{"), PATIENCE), host.logs()
        own = json.loads(told(guest))["uuid"]
        assert own == uuid(number)
        forged = ("-H", f"X-Neutron-Network-ID: {tenants[1 - number]}", "-H", "X-Tenant-ID: me")
        assert json.loads(told(guest, *forged))["uuid"] == own


def test_nobody(host):
    """An address in a network without such a server is nobody's, and is told so."""
    guest = host.networks.isolated(f"qdhcp-{uuid4()}")
    assert eventually(lambda: b"404" in told(guest), PATIENCE), host.logs()


def test_ready_without_a_guest(host):
    """/readyz says whether it all works, and no fake guest is needed to know it."""
    ready = host.ready()
    assert ready["ready"] is True, ready
    assert {"metadata service", "broker"} <= ready["checks"].keys()
    assert "firstlight_relay_listeners" in host.metrics()


def test_killed_and_back(host, tenants):
    """Killed and started again, it finds its sockets where the broker kept them."""
    guest = host.networks.isolated(f"ovnmeta-{tenants[0]}")
    assert eventually(lambda: told(guest).startswith(b"{"), PATIENCE), host.logs()
    host.proxy.end(signal.SIGKILL)
    host.proxy.start()
    assert eventually(lambda: told(guest).startswith(b"{"), PATIENCE), host.logs()


def test_neighbours(host):
    """The neighbour table of a namespace tells which MAC has an address there, and no other."""
    network = str(uuid4())
    guest = host.networks.isolated(f"qdhcp-{network}")
    place = Place(Via.NETWORK, network)
    neighbours = Neighbours()
    with inside.inside(host.directory / f"qdhcp-{network}"):
        neighbours.opened(place, inside.neighbours())
    assert eventually(lambda: guest.ask() != "", PATIENCE), host.logs()
    assert eventually(lambda: guest.ask(OVER_IPV6) != "", PATIENCE), host.logs()
    for address in ("192.0.2.10", LINK_LOCAL):
        asking = Guest(place, ip_address(address))
        assert neighbours.still_there(asking, MAC)
        assert not neighbours.still_there(asking, "fa:16:3e:00:00:01")
    assert not neighbours.still_there(Guest(place, ip_address("192.0.2.77")), MAC)
    assert not neighbours.still_there(Guest(Place(Via.ROUTER, network), asking.address), MAC)
    neighbours.closed(place)
    assert not neighbours.still_there(asking, MAC)
