"""Guests found in lists of ports: what is asked, and which port is whose."""

from collections.abc import Iterator, Sequence
from ipaddress import ip_address
from typing import Any
from uuid import uuid4

import pytest
from msgspec.structs import replace

from firstlight.relay.contract import Ambiguous, Found, Guest, Nobody, Origin, Unavailable, Via
from firstlight.relay.link_local import address_of
from firstlight.relay.resolvers.listing import Filters, Listing, NotAsked, read_rows
from firstlight.relay.resolvers.ports import Port

RED, BLUE, ROUTER = (str(uuid4()) for _ in range(3))
MAC = "fa:16:3e:00:00:01"


def port(
    name: str,
    network: str,
    *addresses: str,
    mac: str = MAC,
    device: str | None = None,
    owner: str = "compute:nova",
) -> Port:
    return Port(name, network, mac, addresses, device or f"vm {name}", owner, "project")


def interface(network: str, router: str = ROUTER) -> Port:
    return port(f"if {network}", network, device=router, owner="network:router_interface")


class Neutron:
    """A plug-in's get_ports over a list; keeps what it was asked."""

    def __init__(self, *ports: Port) -> None:
        self.all = list(ports)
        self.asked: list[Filters] = []
        self.away = False
        self.now = 0.0

    def ports(self, filters: Filters) -> Sequence[Port]:
        self.asked.append(filters)
        if self.away:
            raise NotAsked("away")
        return [one for one in self.all if all(_has(one, *item) for item in filters.items())]

    def listing(self, most: int = 100) -> Listing:
        return Listing("test", self.ports, most=most, router_seconds=10, clock=lambda: self.now)


def _has(one: Port, name: str, wanted: Any) -> bool:
    if name == "fixed_ips":
        return bool(set(one.addresses) & set(wanted["ip_address"]))
    return {"mac_address": one.mac}.get(name, getattr(one, name, None)) in wanted


def at(network: str, address: str, via: Via = Via.NETWORK) -> Guest:
    return Guest(Origin(via, network), ip_address(address))


def behind(address: str) -> Guest:
    return at(ROUTER, address, Via.ROUTER)


def found(one: Port) -> Found:
    return Found(one.device_id, one.project_id, one.id, one.mac)


def test_one_list_by_address_and_one_by_mac() -> None:
    """However many guests: one list of those with addresses, one of those with link-local ones."""
    one, two = port("1", RED, "10.0.0.1"), port("2", BLUE, "10.0.0.1", mac="fa:16:3e:00:00:02")
    neutron = Neutron(one, two)
    guests = [
        at(RED, "10.0.0.1"),
        at(BLUE, "10.0.0.1"),
        at(RED, str(address_of(one.mac))),
        at(BLUE, str(address_of(two.mac))),
        at(BLUE, str(address_of(one.mac))),
    ]
    assert neutron.listing().resolve(guests) == [
        *[found(one), found(two)] * 2,
        Nobody(),
    ]
    assert len(neutron.asked) == 2


def test_a_made_up_address_is_not_asked_about() -> None:
    """A link-local address that is not made of a MAC is nobody's; Neutron is not bothered."""
    neutron = Neutron(port("1", RED, "10.0.0.1"))
    assert neutron.listing().resolve([at(RED, "fe80::1:2:3:4")]) == [Nobody()]
    assert neutron.asked == []


def test_a_routers_networks_are_kept_for_a_while() -> None:
    """They are asked about once in their time, and when nobody is found on them."""
    one = port("1", RED, "10.0.0.1")
    neutron = Neutron(one, interface(RED))
    listing = neutron.listing()
    assert listing.resolve([behind("10.0.0.1")]) == [found(one)]
    assert listing.resolve([behind("10.0.0.1")]) == [found(one)]
    assert [("device_owner" in filters) for filters in neutron.asked] == [True, False, False]

    late = port("2", BLUE, "10.0.9.9")
    neutron.all += [late, interface(BLUE)]
    assert listing.resolve([behind("10.0.9.9"), behind("10.0.0.1")]) == [found(late), found(one)]

    neutron.all = [late, interface(BLUE)]
    assert listing.resolve([behind("10.0.9.9")], fresh=True) == [found(late)]
    neutron.now += 11
    neutron.asked.clear()
    listing.resolve([behind("10.0.9.9")])
    assert "device_owner" in neutron.asked[0]


def test_other_macs_of_the_server() -> None:
    """Asked afresh, it tells the MACs of the server's other ports on the network; not those of
    other networks, nor of a port that another project made with that server's id."""
    one = port("1", RED, "10.0.0.1", device="vm")
    beside = port("2", RED, "10.0.0.2", mac="fa:16:3e:00:00:02", device="vm")
    elsewhere = port("3", BLUE, "10.0.0.3", mac="fa:16:3e:00:00:03", device="vm")
    forged = replace(port("4", RED, mac="fa:16:3e:00:00:04", device="vm"), project_id="other")
    neutron = Neutron(one, beside, elsewhere, forged)
    listing = neutron.listing()
    assert listing.resolve([at(RED, "10.0.0.1")]) == [found(one)]
    assert len(neutron.asked) == 1
    [told] = listing.resolve([at(RED, "10.0.0.1")], fresh=True)
    assert told == replace(found(one), other_macs=("fa:16:3e:00:00:02",))
    assert listing.resolve([at(RED, "10.9.9.9")], fresh=True) == [Nobody()]


def test_a_network_that_left_its_router() -> None:
    """`fresh` forgets networks that a router no longer has; so does time."""
    one = port("1", RED, "10.0.0.1")
    neutron = Neutron(one, interface(RED))
    listing = neutron.listing()
    listing.resolve([behind("10.0.0.1")])
    neutron.all = [one, interface(BLUE)]
    assert listing.resolve([behind("10.0.0.1")], fresh=True) == [Nobody()]
    neutron.all = [one, interface(RED)]
    listing.resolve([behind("10.0.0.1")])
    neutron.all = [one]
    neutron.now += 11
    assert listing.resolve([behind("10.0.0.1")]) == [Nobody()]


def test_a_router_that_is_nobodys() -> None:
    """A made-up router has no networks: one list, and never every port of the cloud."""
    neutron = Neutron(port("1", RED, "10.0.0.1"))
    assert neutron.listing().resolve([behind("10.0.0.1")]) == [Nobody()]
    assert all(filters.get("device_id") == [ROUTER] for filters in neutron.asked)
    assert neutron.asked


def test_two_ports_are_ambiguous() -> None:
    """Several ports with the address behind a router, whosever, are named; the same port on one
    network is one."""
    one, two = port("1", RED, "10.0.0.1"), port("2", BLUE, "10.0.0.1", owner="network:dhcp")
    neutron = Neutron(one, two, interface(RED), interface(BLUE))
    assert neutron.listing().resolve([behind("10.0.0.1")]) == [Ambiguous(("1", "2"))]


@pytest.mark.parametrize(
    "one",
    [
        port("1", RED, "10.0.0.1", owner="network:dhcp"),
        Port("1", RED, MAC, ("10.0.0.1",), "", "", "project"),
        Port("1", RED, MAC, ("10.0.0.1",), "vm", "compute:nova", ""),
    ],
)
def test_ports_of_no_instance(one: Port) -> None:
    """Neutron's own ports, reserved ones, and those of no project are nobody's."""
    assert Neutron(one).listing().resolve([at(RED, "10.0.0.1")]) == [Nobody()]


def test_parts() -> None:
    """More guests than a list takes are several lists; when one fails the rest is not asked."""
    ports = [port(str(n), RED, f"10.0.0.{n}") for n in range(1, 31)]
    guests = [at(RED, f"10.0.0.{n}") for n in range(1, 31)]
    neutron = Neutron(*ports)
    listing = neutron.listing(most=10)
    assert listing.resolve(guests) == [found(one) for one in ports]
    assert len(neutron.asked) == 3

    calls: Iterator[bool] = iter([True, False])
    listing = Listing(
        "test",
        lambda filters: neutron.ports(filters) if next(calls) else _fail(),
        most=10,
        router_seconds=10,
    )
    told = listing.resolve(guests)
    assert told[:10] == [found(one) for one in ports[:10]]
    assert told[10:] == [Unavailable("no bus")] * 20
    assert listing.trouble() == "no bus"


def _fail() -> Sequence[Port]:
    raise NotAsked("no bus")


def test_trouble_passes() -> None:
    """Its trouble is the last list's."""
    neutron = Neutron()
    listing = neutron.listing()
    neutron.away = True
    assert listing.resolve([at(RED, "10.0.0.1")]) == [Unavailable("away")]
    assert listing.trouble() == "away"
    neutron.away = False
    assert listing.resolve([at(RED, "10.0.0.1")]) == [Nobody()]
    assert listing.trouble() is None


@pytest.mark.parametrize("rows", [None, {}, [{}], ["port"], [{"id": 1}]])
def test_no_list_of_ports(rows: Any) -> None:
    """What is no list of ports is an error of Neutron's, not of ours."""
    with pytest.raises(NotAsked, match="no list of ports"):
        read_rows(rows)


def test_rows_of_any_release() -> None:
    """`tenant_id` is `project_id`; nulls are empty; MACs are lower-cased; the rest is ignored."""
    row = {
        "id": "1",
        "network_id": RED,
        "mac_address": "FA:16:3E:00:00:01",
        "fixed_ips": [{"subnet_id": "s", "ip_address": "10.0.0.1"}],
        "device_id": None,
        "tenant_id": "project",
        "binding:profile": {},
    }
    assert read_rows([row]) == [Port("1", RED, MAC, ("10.0.0.1",), "", "", "project")]
