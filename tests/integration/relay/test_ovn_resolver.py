"""Guests recognised by OVN's southbound database, served by a real ovsdb-server."""

import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_address
from pathlib import Path
from typing import TypeVar
from uuid import uuid4

import pytest

from firstlight.relay.contract import (
    Ambiguous,
    Found,
    Guest,
    Nobody,
    Origin,
    Resolution,
    Unavailable,
    Via,
)
from firstlight.relay.link_local import address_of
from firstlight.relay.resolvers.ovn import OvnResolver
from integration.relay.southbound_database import Database, Northd, Southbound
from support.servers.daemons import Daemon
from support.servers.databases import eventually, free_port

T = TypeVar("T", bound=Daemon)

PATIENCE = 60
MAC = "fa:16:3e:12:34:56"
RED, BLUE = str(uuid4()), str(uuid4())


@pytest.fixture
def home() -> Iterator[Path]:
    """A short path: unix sockets are in it."""
    with tempfile.TemporaryDirectory(prefix="firstlight-ovn-") as made:
        yield Path(made)


@contextmanager
def started(daemon: T) -> Iterator[T]:
    try:
        daemon.start()
        yield daemon
    finally:
        daemon.stop()


@pytest.fixture
def southbound(home: Path) -> Iterator[Southbound]:
    """Running, empty."""
    with started(Southbound(home, free_port())) as made:
        yield made


@pytest.fixture
def northd(home: Path, southbound: Southbound) -> Iterator[Northd]:
    """A real ovn-northd that fills it."""
    with (
        started(Database(home, free_port(), "nb")) as north,
        started(Northd(home, north, southbound)) as made,
    ):
        yield made


@pytest.fixture
def resolver(southbound: Southbound) -> Iterator[OvnResolver]:
    """One that follows it."""
    made = OvnResolver(southbound.remote)
    try:
        assert eventually(lambda: made.trouble() is None, PATIENCE)
        yield made
    finally:
        made.close()


def at(network: str, address: str, via: Via = Via.OVN) -> Guest:
    return Guest(Origin(via, network), ip_address(address))


def becomes(resolver: OvnResolver, guest: Guest, expected: Resolution) -> bool:
    """Whether that is said of the guest, before long."""
    return eventually(lambda: resolver.resolve([guest]) == [expected], PATIENCE)


def test_rows_as_they_come_and_go(southbound: Southbound, resolver: OvnResolver) -> None:
    """A port is found while a chassis has bound it: by its addresses, and by its MAC alone for
    link-local; an event is enough, nothing is asked."""
    here = southbound.chassis("here")
    red = southbound.network(RED)
    addresses = f"{MAC} 10.0.0.5 fd00::5"
    port = southbound.bind(red, addresses, device_id="one", project_id="p")
    expected = Found("one", "p", port, MAC)
    southbound.change(port, chassis=here)
    assert becomes(resolver, at(RED, "10.0.0.5"), expected)
    guests = [
        at(RED, "fd00::5"),
        at(RED, str(address_of(MAC))),
        at(RED, "10.0.0.5", Via.NETWORK),
        at(BLUE, "10.0.0.5"),
        at(RED, "10.0.0.6"),
        at(RED, "10.0.0.5", Via.ROUTER),
    ]
    assert resolver.resolve(guests) == [expected, expected, expected, *[Nobody()] * 3]

    southbound.change(port, mac=["set", [f"{MAC} 10.0.0.6"]])
    assert becomes(resolver, at(RED, "10.0.0.6"), expected)
    assert resolver.resolve([at(RED, "10.0.0.5")]) == [Nobody()]

    southbound.change(port, chassis=["set", []])  # what a migration leaves behind
    assert becomes(resolver, at(RED, "10.0.0.6"), Nobody())
    southbound.change(port, chassis=here)
    assert becomes(resolver, at(RED, "10.0.0.6"), expected)
    southbound.remove(port)
    assert becomes(resolver, at(RED, "10.0.0.6"), Nobody())


def test_two_networks_and_duplicates(southbound: Southbound, resolver: OvnResolver) -> None:
    """Equal addresses on two networks are two guests; two bound rows on one network are neither,
    and both are named."""
    here = southbound.chassis("here")
    red, blue = southbound.network(RED), southbound.network(BLUE)
    row = f"{MAC} 10.0.0.5"
    one = southbound.bind(red, row, chassis=here, device_id="one", project_id="p")
    two = southbound.bind(blue, row, chassis=here, device_id="two", project_id="q")
    assert becomes(resolver, at(BLUE, "10.0.0.5"), Found("two", "q", two, MAC))
    assert resolver.resolve([at(RED, "10.0.0.5")]) == [Found("one", "p", one, MAC)]

    other = southbound.bind(red, "fa:16:3e:00:00:02 10.0.0.5", chassis=here, device_id="three")
    several = Ambiguous(tuple(sorted((one, other))))
    assert becomes(resolver, at(RED, "10.0.0.5"), several)
    southbound.remove(other)
    assert becomes(resolver, at(RED, "10.0.0.5"), Found("one", "p", one, MAC))


def test_rows_that_are_no_guests(southbound: Southbound, resolver: OvnResolver) -> None:
    """Rows without a MAC, with an unknown one, of a network that is not Neutron's, or of Neutron's
    own ports are nobody, and break nothing."""
    here = southbound.chassis("here")
    red = southbound.network(RED)
    for mac in ((), ("unknown",), ("",), ("dynamic",), ("router",), (f"{MAC} not-an-address",)):
        southbound.bind(red, *mac, chassis=here, device_id="odd", project_id="p")
    southbound.bind(
        red, "fa:16:3e:00:00:09 10.0.0.2", chassis=here, device_owner="network:distributed"
    )
    last = southbound.bind(
        red,
        "fa:16:3e:00:00:07 10.0.0.7",
        "fa:16:3e:00:00:08 10.0.0.8",  # an allowed address pair: another machine's
        chassis=here,
        device_id="one",
        project_id="p",
    )
    found = Found("one", "p", last, "fa:16:3e:00:00:07")
    assert becomes(resolver, at(RED, "10.0.0.7"), found)
    guests = [at(RED, "10.0.0.2"), at(RED, "10.0.0.8")]
    assert resolver.resolve(guests) == [Nobody(), Nobody()]


def test_away_and_back(southbound: Southbound, resolver: OvnResolver) -> None:
    """Without the database it is Unavailable; what changed meanwhile is known afterwards, and what
    was deleted is not."""
    here = southbound.chassis("here")
    red = southbound.network(RED)
    gone = southbound.bind(red, f"{MAC} 10.0.0.5", chassis=here, device_id="a", project_id="p")
    assert becomes(resolver, at(RED, "10.0.0.5"), Found("a", "p", gone, MAC))
    southbound.stop()
    assert eventually(
        lambda: isinstance(resolver.resolve([at(RED, "10.0.0.5")])[0], Unavailable), PATIENCE
    )
    assert southbound.remote in str(resolver.trouble())

    with southbound.alone():
        southbound.remove(gone)
        new = southbound.bind(red, f"{MAC} 10.0.0.6", chassis=here, device_id="b", project_id="p")
    southbound.start()
    assert becomes(resolver, at(RED, "10.0.0.6"), Found("b", "p", new, MAC))
    assert resolver.resolve([at(RED, "10.0.0.5")]) == [Nobody()]


def test_rows_of_a_real_northd(northd: Northd, resolver: OvnResolver) -> None:
    """Rows that ovn-northd makes of what Neutron writes into the northbound database are read as
    those that this file's other tests make themselves."""
    port, switch = str(uuid4()), f"neutron-{RED}"
    ids = {"device_id": "one", "project_id": "p", "device_owner": "compute\\:nova"}
    northd.nbctl("ls-add", switch)
    northd.nbctl("lsp-add", switch, port)
    northd.nbctl("lsp-set-addresses", port, f"{MAC} 10.0.0.5 fd00::5", "unknown")
    northd.nbctl(
        *("set", "Logical_Switch_Port", port),
        *(f"external_ids:neutron\\:{name}={value}" for name, value in ids.items()),
    )
    northd.sbctl("chassis-add", "here", "geneve", "192.0.2.1")
    assert eventually(lambda: binds(northd, port), PATIENCE)
    found = Found("one", "p", port, MAC)
    assert becomes(resolver, at(RED, "10.0.0.5"), found)
    assert resolver.resolve([at(RED, "fd00::5"), at(RED, str(address_of(MAC)))]) == [found, found]
    northd.nbctl("lsp-del", port)
    assert becomes(resolver, at(RED, "10.0.0.5"), Nobody())


def binds(northd: Northd, port: str) -> bool:
    """Whether northd has made the row already, so that a chassis can bind it."""
    try:
        northd.sbctl("lsp-bind", port, "here")
    except subprocess.CalledProcessError:
        return False
    return True


def test_started_before_the_database(southbound: Southbound) -> None:
    """One that is started while the database is away says so, and follows it once it is there."""
    southbound.stop()
    resolver = OvnResolver(southbound.remote)
    try:
        [resolution] = resolver.resolve([at(RED, "10.0.0.5")])
        assert isinstance(resolution, Unavailable)
        southbound.start()
        assert becomes(resolver, at(RED, "10.0.0.5"), Nobody())
    finally:
        resolver.close()
