"""Neutron's own agents make the namespaces, and our relay answers in them.

neutron-dhcp-agent, neutron-l3-agent and neutron-openvswitch-agent run as on a network node, with
Open vSwitch, dnsmasq and radvd; guests are plugged into its bridge with ports of a real Neutron.
"""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from guests.booting import PROMISED, boot, cloud_init
from lab.environment import needed
from lab.real_neutron import RealNeutron
from lab.relay.conftest import Town
from lab.relay.node import NAME, Guest, Node, comes, listeners, node
from lab.relay.ours_there import Relay
from support.parts import need

METADATA = "169.254.169.254"
BY_LINK_LOCAL = "[fe80::a9fe:a9fe%25eth0]"
SHARED = "10.1.0.11"  # the address, and
SHARED_MAC = "fa:16:3e:0a:01:0b"  # the MAC, of a guest of each of two tenants
SLAAC = {"ip_version": 6, "ipv6_ra_mode": "slaac", "ipv6_address_mode": "slaac"}
NEUTRON = """\
    [DEFAULT]
    host = {name}
    state_path = {home}/state
    transport_url = {bus}
    [AGENT]
    root_helper = env
    report_interval = 5
    check_child_processes_interval = 2
    [oslo_concurrency]
    lock_path = {home}/state/lock
    [ovs]
    datapath_type = netdev
    ovsdb_connection = unix:/run/openvswitch/db.sock
    local_ip = 127.0.0.1
    [securitygroup]
    firewall_driver = noop
    """
AGENTS = {
    "neutron-openvswitch-agent": "[agent]\ntunnel_types = vxlan\n",
    "neutron-dhcp-agent": "[DEFAULT]\ninterface_driver = openvswitch\n"
    "enable_isolated_metadata = true\n",
    "neutron-l3-agent": "[DEFAULT]\ninterface_driver = openvswitch\n",
}
KINDS = {"Open vSwitch agent", "DHCP agent", "L3 agent"}


@dataclass
class Place:
    """A node with its agents and our relay, and the guests there by name."""

    node: Node
    neutron: RealNeutron
    relay: Relay
    networks: dict[str, str]
    router: str
    guests: dict[str, Guest]
    leases: dict[str, str]

    def agents(self) -> dict[str, str]:
        """The ids of this host's agents that Neutron shows as alive, by kind."""
        return self.neutron.agents(NAME)

    def told(self, guest: Guest) -> str:
        """What a guest is told, and what the programs say: for whoever reads of a failure."""
        fields = "fields=id&fields=status&fields=binding:vif_type&fields=device_owner"
        ports = self.neutron.ask(f"ports?network_id={guest.port['network_id']}&{fields}").text
        return f"{guest.ask('/openstack')}\n{ports}\n{self.node.logs()}"

    def dhcp_server(self, name: str) -> str:
        """The IPv4 address of the DHCP agent's port on a network."""
        query = f"ports?device_owner=network:dhcp&network_id={self.networks[name]}"
        [port] = self.neutron.ask(query).json()["ports"]
        addresses: list[str] = [each["ip_address"] for each in port["fixed_ips"]]
        return next(address for address in addresses if ":" not in address)


@pytest.fixture(scope="module")
def place(town: Town) -> Iterator[Place]:
    """`red` and `blue` are isolated, and of two tenants; `green` is behind a router."""
    for program in ("dnsmasq", "radvd", "conntrack"):  # the agents'
        need(program)
    home = Path(tempfile.mkdtemp(prefix="firstlight-node-"))
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, home, ignore_errors=True)
        there = stack.enter_context(node(needed(), home))
        there.host.reach(int(town.transport_url.rpartition(":")[2].strip("/")))
        there.start_switch()
        text = NEUTRON.format(name=NAME, home=home, bus=town.transport_url)
        common = there.write("neutron.conf", text)
        for agent, own in AGENTS.items():
            there.start(agent, common, there.write(f"{agent}.ini", own))
        relay = stack.enter_context(Relay(there, common).running())
        made = Place(there, town.neutron, relay, {}, "", {}, {})
        _furnish(made)
        _settle(made)
        yield made


def _furnish(place: Place) -> None:
    """Networks, subnets, a router; given to the agents as soon as these are there."""
    neutron = place.neutron
    for name, tenant in (("red", "1" * 32), ("blue", "2" * 32), ("green", "1" * 32)):
        made = neutron.make("network", name=name, project_id=tenant)
        place.networks[name] = made["id"]
    _subnet(place, "red", cidr="10.1.0.0/24", ip_version=4)
    _subnet(place, "red", cidr="fd00:1::/64", **SLAAC)
    host_route = {"destination": "10.9.0.0/24", "nexthop": "10.1.0.254"}
    nowhere = {"gateway_ip": None, "host_routes": [host_route]}
    _subnet(place, "blue", cidr="10.1.0.0/24", ip_version=4, **nowhere)
    place.router = neutron.make("router")["id"]
    for addresses in ({"cidr": "10.2.0.0/24", "ip_version": 4}, {"cidr": "fd00:2::/64", **SLAAC}):
        neutron.attach(place.router, _subnet(place, "green", **addresses))
    assert comes(lambda: place.agents().keys() >= KINDS), place.node.logs()
    switching = place.node.home / "neutron-openvswitch-agent.log"
    assert comes(lambda: "rpc_loop - iteration:1 " in switching.read_text()), place.node.logs()
    _bind_router(place)
    agents = place.agents()
    for network in place.networks.values():
        neutron.schedule(agents["DHCP agent"], network=network)
    neutron.schedule(agents["L3 agent"], router=place.router)


def _bind_router(place: Place) -> None:
    """Its ports are bound here before the L3 agent plugs them: on a busy machine the switch's agent
    may be faster than Neutron's binding, takes the ports for broken, and leaves them dead."""
    query = f"ports?device_id={place.router}"
    for port in place.neutron.ask(query).json()["ports"]:
        place.neutron.change("port", port["id"], **{"binding:host_id": NAME})

    def bound() -> bool:
        ports = place.neutron.ask(query).json()["ports"]
        return {port["binding:vif_type"] for port in ports} == {"ovs"}

    assert comes(bound)


def _subnet(place: Place, network: str, **fields: Any) -> str:
    made = place.neutron.make("subnet", network_id=place.networks[network], **fields)
    identifier: str = made["id"]
    return identifier


def _settle(place: Place) -> None:
    """Guests with their leases; all is well with the relay."""
    chosen = {"fixed_ips": [{"ip_address": SHARED}], "mac_address": SHARED_MAC}
    for name, more in (("red", chosen), ("blue", chosen), ("green", {})):
        place.guests[name] = place.node.plug(_port(place, name, more))
    place.relay.know(place.guests.values())
    for name, guest in place.guests.items():
        place.leases[name] = guest.lease()
    assert comes(lambda: place.relay.troubles() == {}), place.node.logs()


def _port(place: Place, network: str, more: dict[str, Any]) -> dict[str, Any]:
    fields = {"device_id": str(uuid4()), "device_owner": "compute:nova", "binding:host_id": NAME}
    made: dict[str, Any] = place.neutron.make(
        "port", network_id=place.networks[network], **fields, **more
    )
    return made


def test_lease(place: Place) -> None:
    """dnsmasq of Neutron's agent leases the port's address to udhcpc, and option 121 leads to the
    metadata address by the agent's own port: nothing of that depends on haproxy."""
    red = place.guests["red"]
    assert SHARED in red.addresses()
    routes = f"{METADATA}/32 {place.dhcp_server('red')}"
    assert routes in place.leases["red"]
    assert "0.0.0.0/0 10.1.0.1" in place.leases["red"]


def test_no_gateway(place: Place) -> None:
    """On a subnet without a gateway, with a host route, the lease has both routes and no default
    one; the guest gets its metadata."""
    lease = place.leases["blue"]
    assert f"{METADATA}/32 {place.dhcp_server('blue')}" in lease
    assert "10.9.0.0/24 10.1.0.254" in lease
    assert "0.0.0.0/0" not in lease
    assert comes(lambda: place.guests["blue"].learns() == place.guests["blue"].uuid)


@pytest.mark.parametrize("name", ["red", "blue"])
def test_same_addresses(place: Place, name: str) -> None:
    """Guests of two tenants have one address and one MAC; each gets its own metadata, over IPv4
    and, where its network has IPv6, over link-local IPv6."""
    guest = place.guests[name]
    assert guest.learns() == guest.uuid
    if name == "red":
        assert comes(lambda: guest.learns(BY_LINK_LOCAL) == guest.uuid)


def test_routed(place: Place) -> None:
    """Behind a router the lease leads to the gateway, the agent's rule redirects, our proxy is
    where haproxy was; the router's namespace has no other listener."""
    green = place.guests["green"]
    assert f"{METADATA}/32 10.2.0.1" in place.leases["green"]
    router = f"qrouter-{place.router}"
    rules = place.node.host.run("iptables", "-t", "nat", "-S", within=router)
    assert f"-d {METADATA}/32" in rules
    assert "--to-ports 9697" in rules
    assert listeners(place.node.host, router) == ["*:9697"]
    assert comes(lambda: green.learns() == green.uuid), place.told(green)


def test_routed_ipv6(place: Place) -> None:
    """radvd of Neutron's agent advertises the way to the metadata address, and the guest gets its
    metadata through the router over IPv6."""
    green = place.guests["green"]

    def way() -> str:
        return green.run("ip", "-6", "route", "show", "fe80::a9fe:a9fe")

    assert comes(lambda: "proto ra" in way()), place.told(green)
    assert comes(lambda: green.learns(BY_LINK_LOCAL) == green.uuid), place.told(green)


def test_addresses_stay(place: Place) -> None:
    """In a network's namespace the agent has set both addresses, and we listen at them, once."""
    namespace = f"qdhcp-{place.networks['red']}"
    shown = place.node.host.run("ip", "-brief", "address", within=namespace)
    assert f"{METADATA}/32" in shown
    assert "fe80::a9fe:a9fe/128" in shown

    def at_80() -> list[str]:
        heard = listeners(place.node.host, namespace)
        return [where for where in heard if where.endswith(":80")]

    assert comes(lambda: len(at_80()) == 2)
    assert at_80()[0] == f"{METADATA}:80"
    assert at_80()[1].startswith("[fe80::a9fe:a9fe]%tap")


def test_no_haproxy(place: Place) -> None:
    """No haproxy runs; for each namespace with metadata the agents keep a stand-in, and start one
    that was killed anew, while guests are answered."""

    def stand_ins() -> list[str]:
        return [line for line in place.node.processes() if "stands in for haproxy" in line]

    identifiers = {place.router, place.networks["red"], place.networks["blue"]}
    assert comes(lambda: all(any(id_ in line for line in stand_ins()) for id_ in identifiers))
    assert not [line for line in place.node.processes() if line.startswith("haproxy")]
    red = place.networks["red"]
    before = _pid(place, red)
    place.node.host.run("kill", "-KILL", before)
    assert comes(lambda: _pid(place, red) not in ("", before))
    assert comes(lambda: any(red in line for line in stand_ins()))
    assert place.guests["red"].learns() == place.guests["red"].uuid


def _pid(place: Place, identifier: str) -> str:
    """As the agent's process monitor reads it; empty while there is none."""
    try:
        file = place.node.home / "state" / "external" / "pids" / f"{identifier}.pid.haproxy"
        return file.read_text().strip()
    except FileNotFoundError:
        return ""


def test_check(place: Place) -> None:
    """`firstlight check proxy` on that host finds nothing broken."""
    done = place.relay.check()
    assert done.returncode == 0, done.stdout + done.stderr
    assert "namespaces" in done.stdout


def test_listed(place: Place) -> None:
    """Neutron lists our relay as this host's metadata agent, alive, beside its own agents."""
    assert comes(lambda: place.agents().keys() == {*KINDS, "Metadata agent"})


def test_cloud_init(place: Place, tmp_path: Path) -> None:
    """Debian's cloud-init, in a guest on such a network, learns who it is, without a complaint."""
    blue = place.guests["blue"]  # without a default route it does not wait for name servers
    learned = boot(blue, cloud_init(PROMISED), "OpenStack", tmp_path)
    assert learned["found"], learned["why"]
    assert learned["instance_id"] == blue.uuid
    assert learned["complaints"] == []


def test_a_network_that_goes(place: Place) -> None:
    """When the agent takes a network away, our listeners go with its namespace; nobody is worse
    off."""
    blue, namespace = place.networks["blue"], f"qdhcp-{place.networks['blue']}"
    place.neutron.unschedule(place.agents()["DHCP agent"], network=blue)
    assert comes(lambda: namespace not in place.node.host.namespaces())
    assert comes(lambda: place.relay.troubles() == {})
    assert place.guests["red"].learns() == place.guests["red"].uuid
