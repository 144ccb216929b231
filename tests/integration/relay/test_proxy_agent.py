"""From a guest in a namespace to the real metadata service and back, in one process of the relay.

Law 5's proof of a guest's MAC, the namespace's neighbour table, is asked here as well.
"""

import json
import re
import signal
import socket
import struct
from contextlib import closing
from functools import partial
from ipaddress import ip_address
from itertools import count
from types import SimpleNamespace
from uuid import uuid4

import pytest

from firstlight.relay.broker import netns
from firstlight.relay.contract import Guest, Origin, Via
from firstlight.relay.proxy.neighbours import NO_ENTRY, Neighbours
from firstlight.sources.store import Store
from support.cloud.store_samples import interface, server, uuid
from support.relay.agent_process import metadata_service
from support.relay.namespaces import LINK_LOCAL, MAC, METADATA, METADATA_IPV6, Namespace
from support.relay.relay_host import PATIENCE, RelayHost
from support.servers.databases import eventually

NUMBERS = count(100)  # of servers that a test adds
OTHER_MAC = "fa:16:3e:66:66:66"
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
            host.store = service.store
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


class Told(socket.socket):
    """A netlink socket that remembers what the kernel was asked."""

    @classmethod
    def inside(cls, namespace):
        with netns.inside(namespace):
            return cls(fileno=netns.neighbours().detach())

    def send(self, data, *flags):
        self.asked = [*getattr(self, "asked", ()), data]
        return super().send(data, *flags)


def dumps(asked):
    """Those of the questions that ask for a whole table."""
    return [data for data in asked if struct.unpack_from("=IHH", data)[2] & 0x300]


def test_neighbours(host):
    """The kernel tells which MAC it replies to at an address, by one entry and not the table."""
    network = str(uuid4())
    guest = host.networks.isolated(f"qdhcp-{network}")
    namespace = host.directory / f"qdhcp-{network}"
    place = Origin(Via.NETWORK, network)
    neighbours = Neighbours()
    asking = Told.inside(namespace)
    neighbours.opened(place, asking)
    with netns.inside(namespace):
        tap = socket.if_nametoindex("tap0")
    assert eventually(lambda: guest.ask() != "", PATIENCE), host.logs()
    assert eventually(lambda: guest.ask(OVER_IPV6) != "", PATIENCE), host.logs()
    at = lambda address: Guest(place, ip_address(address))  # noqa: E731  said once, used below
    assert neighbours.look(at("192.0.2.10")) == MAC
    assert len(asking.asked) == 2  # the route, the entry
    assert neighbours.look(at("192.0.2.10"), tap) == MAC
    assert neighbours.look(at(LINK_LOCAL), tap) == MAC
    assert neighbours.look(at(LINK_LOCAL)) is None  # on every interface there may be such a one
    assert neighbours.look(at("192.0.2.10"), 1) == NO_ENTRY
    assert neighbours.look(at("192.0.2.77")) == NO_ENTRY
    assert neighbours.look(at("203.0.113.7")) == NO_ENTRY  # no route
    assert neighbours.look(Guest(Origin(Via.ROUTER, network), ip_address("192.0.2.10"))) is None
    assert len(asking.asked) > 5
    assert dumps(asking.asked) == []
    neighbours.closed(place)
    assert neighbours.look(at("192.0.2.10")) is None


def test_neighbours_of_the_right_interface(host):
    """With an address on two interfaces, the one that the reply leaves by counts; behind a gateway
    there is no neighbour; and an entry that has failed is none."""
    place = Origin(Via.ROUTER, str(uuid4()))
    name = f"qrouter-{place.id}"
    host.networks.namespace(name).run(
        """
        for one in qr-one qr-two; do
            ip link add $one type veth peer name of-$one
            ip link set $one up; ip link set of-$one up
        done
        ip addr add 192.0.2.1/24 dev qr-one
        ip neigh add 192.0.2.10 dev qr-one lladdr fa:16:3e:00:00:01 nud permanent
        ip neigh add 192.0.2.10 dev qr-two lladdr fa:16:3e:00:00:02 nud permanent
        ip neigh add 192.0.2.11 dev qr-one lladdr fa:16:3e:00:00:01 nud permanent
        ip neigh add 192.0.2.12 dev qr-one lladdr fa:16:3e:00:00:01 nud noarp
        ip neigh add 192.0.2.13 dev qr-one lladdr fa:16:3e:00:00:01 nud failed
        ip neigh add 203.0.113.7 dev qr-one lladdr fa:16:3e:00:00:01 nud permanent
        ip route add 203.0.113.0/24 via 192.0.2.10
        ip route add 192.0.2.11/32 dev qr-two
        """
    )
    neighbours = Neighbours()
    neighbours.opened(place, Told.inside(host.directory / name))
    shown = {
        last: neighbours.look(Guest(place, ip_address(f"192.0.2.{last}")))
        for last in (10, 11, 12, 13)
    }
    assert shown == {10: "fa:16:3e:00:00:01", 11: NO_ENTRY, 12: NO_ENTRY, 13: NO_ENTRY}
    assert neighbours.look(Guest(place, ip_address("203.0.113.7"))) == NO_ENTRY
    neighbours.close()


def counted(host, name):
    """A counter of the agent's."""
    found = re.search(rf"^firstlight_relay_identities_{name}_total (\S+)", host.metrics(), re.M)
    assert found
    return float(found[1])


def becomes(guest, mac, serving):
    """The guest's interface has this MAC now, and the kernel learns so."""
    guest.run(f"ip link set eth0 address {mac}; ip neigh flush dev eth0")
    serving.run("ip neigh flush dev tap0")


@pytest.fixture
def moving(host):
    """A server at 192.0.2.10 that was recognised; another, elsewhere; guest and namespace."""
    network = str(uuid4())
    first, second = next(NUMBERS), next(NUMBERS)
    on = partial(interface, cidr="192.0.2.0/24", network=network)
    with closing(Store.open(host.store)) as store:
        store.add(server(first, interfaces=(on("192.0.2.10", mac=MAC),)))
        store.add(server(second, interfaces=(on("192.0.2.20", mac=OTHER_MAC),)))
        guest = host.networks.isolated(f"qdhcp-{network}")
        assert eventually(lambda: uuid(first).encode() in told(guest), PATIENCE), host.logs()
        serving = Namespace(host.directory, f"qdhcp-{network}")
        yield SimpleNamespace(
            first=first, second=second, on=on, store=store, guest=guest, serving=serving
        )


def test_an_address_that_moves(host, moving):
    """The next owner of an address is told its own at its first request, not what the server that
    had the address before was told; that server still exists."""
    told(moving.guest)
    store, on = moving.store, moving.on
    store.update(server(moving.first, interfaces=(on("192.0.2.30", mac=MAC),)))
    store.update(server(moving.second, interfaces=(on("192.0.2.10", mac=OTHER_MAC),)))
    becomes(moving.guest, OTHER_MAC, moving.serving)
    assert json.loads(told(moving.guest))["uuid"] == uuid(moving.second)
    assert counted(host, "unconfirmed") > 0


def test_a_server_is_asked_about_once(host, moving):
    """While its MAC is at its address, a server that is known costs the resolver nothing."""
    asked = counted(host, "asked")
    for _ in range(3):
        assert json.loads(told(moving.guest))["uuid"] == uuid(moving.first)
    assert counted(host, "asked") == asked


def test_another_mac_at_a_link_local_address(host, moving):
    """Over IPv6 the entry is that of the interface that the connection came in by."""
    ask = ("-g", f"http://{OVER_IPV6}/openstack/latest/meta_data.json")
    assert uuid(moving.first).encode() in moving.guest.curl(*ask).stdout
    moving.guest.run(
        f"ip addr add {LINK_LOCAL}/64 dev eth0 nodad 2>/dev/null || true;"
        "sysctl -qw net.ipv6.conf.eth0.addr_gen_mode=1"
    )
    becomes(moving.guest, OTHER_MAC, moving.serving)
    before = counted(host, "unconfirmed"), counted(host, "asked")
    moving.guest.curl(*ask)
    assert (counted(host, "unconfirmed"), counted(host, "asked")) > before
