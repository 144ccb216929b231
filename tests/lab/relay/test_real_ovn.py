"""On OVN: Neutron's agent makes ``ovnmeta-*``, and our relay answers in it.

ovn-northd, ovn-controller and Open vSwitch are Debian's; Neutron runs its OVN driver; the relay
recognises guests by the southbound database.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from firstlight.relay.ovn.heartbeat import ID, SEEN
from integration.relay.southbound_database import Database, Northd, Southbound
from lab.environment import needed
from lab.keystone import Keystone
from lab.real_neutron import RealNeutron
from lab.relay.node import NAME, Guest, Node, comes, listeners, node
from lab.relay.ours_there import Relay
from support.relay.agent_process import FIRSTLIGHT
from support.servers.databases import Server, free_port

METADATA = "169.254.169.254"
BY_LINK_LOCAL = "[fe80::a9fe:a9fe%25eth0]"
SHARED = "10.1.0.11"  # the address, and
SHARED_MAC = "fa:16:3e:0a:01:0b"  # the MAC, of a guest of each of two tenants
SERVER = """\
[ovn]
ovn_nb_connection = {north}
ovn_sb_connection = {south}
ovn_metadata_enabled = true
[ml2]
type_drivers = geneve
tenant_network_types = geneve
[ml2_type_geneve]
vni_ranges = 1:4000
max_header_size = 38
"""
AGENT = """\
[DEFAULT]
host = {name}
state_path = {home}/state
[AGENT]
root_helper = env
[oslo_concurrency]
lock_path = {home}/state/lock
[ovs]
ovsdb_connection = unix:/run/openvswitch/db.sock
[ovn]
ovn_sb_connection = {south}
"""


@dataclass
class Ovn:
    """The two databases and what stands between them."""

    north: Database
    south: Southbound
    northd: Northd

    @classmethod
    @contextmanager
    def running(cls) -> Iterator["Ovn"]:
        with tempfile.TemporaryDirectory(prefix="firstlight-ovn-") as made, ExitStack() as stack:
            home = Path(made)
            south = Southbound(home, free_port())
            north = Database(home, free_port(), "nb")
            northd = Northd(home, north, south)
            for daemon in (south, north, northd):
                daemon.start()
                stack.callback(daemon.stop)
            yield cls(north, south, northd)


@dataclass
class Chassis:
    """A chassis with Neutron's agent and our relay, and the guests there by name."""

    name: str
    node: Node
    neutron: RealNeutron
    relay: Relay
    guests: dict[str, Guest]
    leases: dict[str, str]

    def agents(self) -> dict[str, str]:
        """The ids of this chassis' agents that Neutron shows as alive, by kind."""
        return self.neutron.agents(NAME)

    def ovnmeta(self) -> None:
        """Run `firstlight ovnmeta` with the file of Neutron's agent."""
        own = self.node.home / "neutron_ovn_metadata_agent.ini"
        command = (FIRSTLIGHT, "ovnmeta", f"--config-file={own}")
        self.node.host.start(*command, log=self.node.home / "ovnmeta.log")

    def metadata_port(self, name: str) -> str:
        """The IPv4 address of the OVN metadata port on a guest's network."""
        network = self.guests[name].port["network_id"]
        query = f"ports?device_owner=network:distributed&network_id={network}"
        [port] = self.neutron.ask(query).json()["ports"]
        addresses: list[str] = [each["ip_address"] for each in port["fixed_ips"]]
        return next(address for address in addresses if ":" not in address)


@pytest.fixture(scope="module")
def ovn() -> Iterator[Ovn]:
    with Ovn.running() as made:
        yield made


@pytest.fixture(scope="module")
def neutron(
    ovn: Ovn, keystone: Keystone, mariadb: Server, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RealNeutron]:
    """Neutron's API with the OVN driver; it needs no message bus."""
    made = RealNeutron(
        needed(),
        tmp_path_factory.mktemp("neutron-ovn"),
        free_port(),
        keystone,
        {"service_plugins": "ovn-router"},
        drivers="ovn",
        database=mariadb.database("neutron_with_ovn"),
        sections=SERVER.format(north=ovn.north.remote, south=ovn.south.remote),
    )
    try:
        made.create(announced=False)  # the town's is in the catalog
        yield made
    finally:
        made.stop()


@pytest.fixture(scope="module")
def chassis(ovn: Ovn, neutron: RealNeutron) -> Iterator[Chassis]:
    """`red` and `blue` are networks of two tenants with equal addresses; `red` has IPv6."""
    home = Path(tempfile.mkdtemp(prefix="firstlight-chassis-"))
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, home, ignore_errors=True)
        there = stack.enter_context(node(needed(), home))
        there.host.reach(ovn.south.port)
        name = str(uuid4())
        _start_chassis(there, ovn, name)
        relay = stack.enter_context(_start_agent(there, ovn).running())
        made = Chassis(name, there, neutron, relay, {}, {})
        assert comes(lambda: "OVN Controller agent" in made.agents()), there.logs()
        _furnish(made)
        assert comes(lambda: relay.troubles() == {}), there.logs()
        yield made


def _start_chassis(there: Node, ovn: Ovn, name: str) -> None:
    there.start_switch(
        system_id=name,
        hostname=NAME,
        ovn_remote=ovn.south.remote,
        ovn_encap_type="geneve",
        ovn_encap_ip="127.0.0.1",
        ovn_bridge_datapath_type="netdev",
    )
    there.start_controller()


def _start_agent(there: Node, ovn: Ovn) -> Relay:
    """Neutron's; the relay beside it."""
    text = AGENT.format(name=NAME, home=there.home, south=ovn.south.remote)
    own = there.write("neutron_ovn_metadata_agent.ini", text)
    there.start("neutron-ovn-metadata-agent", own)
    return Relay(there, own, listens=False)


def _furnish(chassis: Chassis) -> None:
    for name, tenant in (("red", "1" * 32), ("blue", "2" * 32)):
        chassis.guests[name] = _guest(chassis, name, tenant, ipv6=name == "red")
    chassis.relay.know(chassis.guests.values())
    for name, guest in chassis.guests.items():
        chassis.leases[name] = guest.lease()


def _guest(chassis: Chassis, name: str, tenant: str, *, ipv6: bool) -> Guest:
    """One with the shared address, on a network of its own."""
    neutron = chassis.neutron
    network = neutron.make("network", name=name, project_id=tenant)["id"]
    _subnet(neutron, network, cidr="10.1.0.0/24", ip_version=4)
    if ipv6:
        slaac = {"ipv6_ra_mode": "slaac", "ipv6_address_mode": "slaac"}
        _subnet(neutron, network, cidr="fd00:1::/64", ip_version=6, **slaac)
    owner = {"device_id": str(uuid4()), "device_owner": "compute:nova", "project_id": tenant}
    chosen = {"fixed_ips": [{"ip_address": SHARED}], "mac_address": SHARED_MAC}
    port = neutron.make("port", network_id=network, **owner, **chosen, **{"binding:host_id": NAME})
    return chassis.node.plug(port)


def _subnet(neutron: RealNeutron, network: str, **fields: Any) -> None:
    neutron.make("subnet", network_id=network, **fields)


def test_lease(chassis: Chassis) -> None:
    """OVN's own DHCP leases the port's address, and option 121 leads by the metadata port."""
    assert SHARED in chassis.guests["red"].addresses()
    assert f"{METADATA}/32 {chassis.metadata_port('red')}" in chassis.leases["red"]


@pytest.mark.parametrize("name", ["red", "blue"])
def test_same_addresses(chassis: Chassis, name: str) -> None:
    """Guests of two tenants have one address and one MAC; each gets its own metadata."""
    guest = chassis.guests[name]
    assert comes(lambda: guest.learns() == guest.uuid), chassis.node.logs()


def test_ipv6(chassis: Chassis) -> None:
    """On a network with IPv6 the guest gets its metadata at the link-local address, too."""
    red = chassis.guests["red"]
    # In userspace nobody fills in the checksums of what comes from a veth: Neutron's agent sees to
    # it for IPv4 (LP 1904871), and for IPv6 does not.
    fill = ("POSTROUTING", "-p", "tcp", "-j", "CHECKSUM", "--checksum-fill")
    namespace = f"ovnmeta-{red.port['network_id']}"
    chassis.node.host.run("ip6tables", "-t", "mangle", "-A", *fill, within=namespace)
    assert comes(lambda: red.learns(BY_LINK_LOCAL) == red.uuid), chassis.node.logs()


def test_no_haproxy(chassis: Chassis) -> None:
    """Neutron's agent has set the addresses and keeps a stand-in; we listen there, nobody else."""
    network = chassis.guests["red"].port["network_id"]
    namespace = f"ovnmeta-{network}"
    shown = chassis.node.host.run("ip", "-brief", "address", within=namespace)
    assert f"{METADATA}/32" in shown
    heard = listeners(chassis.node.host, namespace)
    assert f"{METADATA}:80" in heard
    assert len(heard) == 2
    stand_ins = [line for line in chassis.node.processes() if "stands in for haproxy" in line]
    assert any(network in line for line in stand_ins)


def _forget(ovn: Ovn, chassis: str, agent: str) -> None:
    """Have the row as before the agent's first start, and Neutron forget it, by the sign that
    `openstack network agent delete` gives to Neutron's processes."""
    for key in (ID, SEEN):
        ovn.northd.sbctl("remove", "Chassis_Private", chassis, "external_ids", f'"{key}"')
    ovn.northd.sbctl("set", "SB_Global", ".", f"external_ids:delete_agent={agent}")
    ovn.northd.sbctl("remove", "SB_Global", ".", "external_ids", "delete_agent")


def test_report(chassis: Chassis, ovn: Ovn) -> None:
    """When Neutron's agent has ended and is forgotten, our agent with `[relay] ovn_report` is what
    it was in Neutron's list: the same entry, alive; guests are served on."""
    assert comes(lambda: "OVN Metadata agent" in chassis.agents()), chassis.node.logs()
    listed = chassis.agents()["OVN Metadata agent"]
    chassis.node.end("neutron-ovn-metadata-agent")
    _forget(ovn, chassis.name, listed)
    assert comes(lambda: "OVN Metadata agent" not in chassis.agents())
    chassis.relay.restart("ovn_report = true")
    assert comes(lambda: "OVN Metadata agent" in chassis.agents()), chassis.node.logs()
    assert chassis.agents()["OVN Metadata agent"] == listed
    assert comes(lambda: chassis.relay.troubles() == {}), chassis.node.logs()
    assert chassis.guests["red"].learns() == chassis.guests["red"].uuid


@pytest.mark.skipif(
    not os.environ.get("FIRSTLIGHT_SOAK"), reason="half a minute for the same code: `make soak`"
)
def test_successor(chassis: Chassis, ovn: Ovn) -> None:
    """neutron-ovn-agent, which follows upon neutron-ovn-metadata-agent, takes the stand-in for
    haproxy as well; guests that come then are served like those that are there."""
    chassis.relay.restart("")
    chassis.node.host.reach(ovn.north.port)
    text = AGENT.format(name=NAME, home=chassis.node.home, south=ovn.south.remote)
    text += f"ovn_nb_connection = {ovn.north.remote}\n[agent]\nextensions = metadata\n"
    chassis.node.start("neutron-ovn-agent", chassis.node.write("ovn_agent.ini", text))
    new = _guest(chassis, "later", "4" * 32, ipv6=False)
    chassis.relay.know([new])
    new.lease()
    assert comes(lambda: new.learns() == new.uuid), chassis.node.logs()
    assert chassis.guests["red"].learns() == chassis.guests["red"].uuid
    network = new.port["network_id"]
    stand_ins = [line for line in chassis.node.processes() if "stands in for haproxy" in line]
    assert any(network in line for line in stand_ins)
    chassis.node.end("neutron-ovn-agent")


def test_nobody_else_makes_them(chassis: Chassis) -> None:
    """Where no agent of Neutron's runs, `firstlight ovnmeta` goes on with the namespaces that are
    there, makes those of new guests' networks, and takes away those that nobody needs."""
    kept = chassis.guests["red"]
    chassis.ovnmeta()
    new = _guest(chassis, "new", "3" * 32, ipv6=True)
    chassis.relay.know([new])
    assert f"{METADATA}/32" in new.lease()
    assert comes(lambda: new.learns() == new.uuid), chassis.node.logs()
    assert comes(lambda: new.learns(BY_LINK_LOCAL) == new.uuid), chassis.node.logs()
    assert kept.learns() == kept.uuid
    assert comes(lambda: chassis.relay.troubles() == {}), chassis.node.logs()

    gone = f"ovnmeta-{new.port['network_id']}"
    assert gone in chassis.node.host.namespaces()
    chassis.node.unplug(new)
    assert comes(lambda: gone not in chassis.node.host.namespaces()), chassis.node.logs()
    assert comes(lambda: chassis.relay.troubles() == {}), chassis.node.logs()
    assert kept.learns() == kept.uuid
