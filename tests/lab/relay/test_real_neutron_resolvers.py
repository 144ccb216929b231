"""Guests recognised by a real Neutron 29: over its RPC, and over its API."""

import gc
import logging
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from ipaddress import IPv6Address
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from oslo_config import cfg

from firstlight import conf as configuration
from firstlight.conf import common, neutron, ovn, recognition, store
from firstlight.relay.agent.identity_cache import IdentityCache
from firstlight.relay.contract import (
    Ambiguous,
    Found,
    Guest,
    Nobody,
    Origin,
    Resolution,
    Resolver,
    Unavailable,
    Via,
)
from firstlight.relay.link_local import address_of
from firstlight.relay.resolvers.deploy import open_resolver
from firstlight.relay.resolvers.neutron_rpc import NAME
from lab.keystone import Keystone
from lab.real_neutron import REGION
from lab.relay.conftest import Town
from support.servers.daemons import Daemon
from support.servers.databases import eventually

PATIENCE = 120


def conf_of(path: Path, *sections: str) -> cfg.ConfigOpts:
    """The relay's configuration from one file of these sections."""
    path.write_text("\n".join(sections))
    conf = cfg.ConfigOpts()
    configuration.register(conf, (common, recognition, ovn, neutron, store))
    conf([f"--config-file={path}"], project="firstlight", default_config_dirs=[])
    return conf


@contextmanager
def opened(conf: cfg.ConfigOpts) -> Iterator[Resolver]:
    resolver = open_resolver(conf)
    try:
        yield resolver
    finally:
        resolver.close()


def by_rpc(town: Town, path: Path, deadline: float = 20) -> cfg.ConfigOpts:
    """As a stock neutron.conf says it: nothing but the message bus."""
    return conf_of(
        path,
        f"[DEFAULT]\ntransport_url = {town.transport_url}",
        f"[relay]\nresolver_deadline = {deadline}",
        "[oslo_messaging_rabbit]\nrabbit_retry_interval = 1\nrabbit_interval_max = 1",
    )


def by_rest(keystone: Keystone, path: Path) -> cfg.ConfigOpts:
    """With a user."""
    credentials = keystone.credentials("neutron", "service", region_name=REGION)
    lines = "\n".join(f"{name} = {value}" for name, value in credentials.items())
    return conf_of(path, f"[neutron]\n{lines}", "[relay]\nresolver_deadline = 20")


@pytest.fixture(scope="module", params=["neutron-rpc", "neutron-rest"])
def resolver(
    request: pytest.FixtureRequest,
    town: Town,
    keystone: Keystone,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Resolver]:
    """Each of the two, once it is answered."""
    path = tmp_path_factory.mktemp("conf") / "relay.conf"
    conf = by_rpc(town, path) if request.param == "neutron-rpc" else by_rest(keystone, path)
    with opened(conf) as resolver:
        assert resolver.name == request.param  # which "auto" found out
        answers(resolver, town)
        yield resolver


def answers(resolver: Resolver, town: Town) -> None:
    """Returns once Neutron answers."""
    anyone = [town.on("red", "10.0.0.11")]
    assert eventually(lambda: isinstance(resolver.resolve(anyone)[0], Found), PATIENCE), (
        resolver.trouble()
    )


def one(resolver: Resolver, guest: Guest) -> Resolution:
    [resolution] = resolver.resolve([guest])
    return resolution


def port(town: Town, name: str) -> Found:
    shown = town.ports[name]
    return Found(shown["device_id"], shown["project_id"], shown["id"], shown["mac_address"])


def link_local(town: Town, name: str) -> IPv6Address:
    return address_of(town.ports[name]["mac_address"])


def test_overlapping_networks(resolver: Resolver, town: Town) -> None:
    """The same address on two tenants' networks is two guests, asked about in one call."""
    guests = [town.on("red", "10.0.0.11"), town.on("blue", "10.0.0.11")]
    assert resolver.resolve(guests) == [port(town, "red"), port(town, "twin")]


def test_global_ipv6(resolver: Resolver, town: Town) -> None:
    """A port is found by its other address, too."""
    assert one(resolver, town.on("red", "fd00:1::11")) == port(town, "red")


def test_link_local(resolver: Resolver, town: Town) -> None:
    """A link-local address is the port's that has the MAC in it, on the network it was seen on;
    here two networks have a port with that MAC."""
    address = str(link_local(town, "red"))
    assert one(resolver, town.on("red", address)) == port(town, "red")
    assert one(resolver, town.on("blue", address)) == port(town, "twin")
    assert one(resolver, town.on("green", address)) == Nobody()


def test_link_local_of_no_port(resolver: Resolver, town: Town) -> None:
    """Neither a MAC that no port has, nor an address that is not made of a MAC, is anybody."""
    mac = bytearray(link_local(town, "red").packed)
    without = bytes((*mac[:11], 0xAA, 0xBB, *mac[13:]))  # a port's MAC, but no ff:fe in it
    guests = [
        town.on("red", "fe80::f816:3eff:fe00:1"),
        town.on("red", str(IPv6Address(without))),
    ]
    assert resolver.resolve(guests) == [Nobody(), Nobody()]


def test_behind_a_router(resolver: Resolver, town: Town) -> None:
    """Behind a router its networks count, and no others."""
    guests = [
        town.behind("red", "10.0.0.11"),
        town.behind("red", "10.2.0.20"),
        town.behind("red", "fd00:1::11"),
        town.behind("red", str(link_local(town, "green"))),
        town.behind("blue", "10.0.0.11"),
        town.behind("blue", "10.2.0.20"),
    ]
    assert resolver.resolve(guests) == [
        port(town, "red"),
        port(town, "green"),
        port(town, "red"),
        port(town, "green"),
        port(town, "twin"),
        Nobody(),
    ]


def test_an_address_that_two_ports_have(resolver: Resolver, town: Town) -> None:
    """Two ports behind one router with one address: none of them, and both are named."""
    ids = sorted((town.ports["double"]["id"], town.ports["double too"]["id"]))
    assert one(resolver, town.behind("red", "10.2.0.30")) == Ambiguous(tuple(ids))
    assert one(resolver, town.on("green", "10.2.0.30")) == port(town, "double")


def test_ports_without_an_instance(resolver: Resolver, town: Town) -> None:
    """A reserved address is nobody's, and neither DHCP's nor a router's is an instance's."""
    guests = [town.on("red", address) for address in ("10.0.0.40", "10.0.0.2", "10.0.0.1")]
    assert resolver.resolve(guests) == [Nobody()] * 3


def test_unknown_places(resolver: Resolver, town: Town) -> None:
    """A network or a router that Neutron does not know has nobody."""
    places = [Origin(via, str(uuid4())) for via in Via]
    guests = [Guest(place, town.on("red", "10.0.0.11").address) for place in places]
    assert resolver.resolve(guests) == [Nobody()] * 3


def test_many_guests(resolver: Resolver, town: Town) -> None:
    """Forty guests of one moment, some of them behind the router, each get their own."""
    names = [f"red {number}" for number in range(50, 90)]
    addresses = [f"10.0.0.{number}" for number in range(50, 90)]
    on = [town.on("red", address) for address in addresses]
    behind = [town.behind("red", address) for address in addresses]
    assert resolver.resolve(on + behind) == [port(town, name) for name in names] * 2


def test_a_network_that_joins_a_router(resolver: Resolver, town: Town) -> None:
    """A network that gets its router now is behind it at once, although the router is known."""
    name = f"late {resolver.name}"
    address = "10.7.0.5"
    town.network(name)
    made = town.neutron.make(
        "subnet", network_id=town.networks[name], cidr="10.7.0.0/24", ip_version=4
    )
    town.port(name, name, address)
    assert one(resolver, town.behind("red", address)) == Nobody()
    town.neutron.attach(town.routers["red"], made["id"])
    assert one(resolver, town.behind("red", address)) == port(town, name)
    town.neutron.detach(town.routers["red"], made["id"])
    [after] = resolver.resolve([town.behind("red", address)], fresh=True)
    assert after == Nobody()


def test_recognised_once(resolver: Resolver, town: Town) -> None:
    """Forty guests that ask 28 times each are one to three batches for Neutron, no more."""
    batches: list[int] = []

    class Counted:
        name = resolver.name

        def resolve(self, guests: Sequence[Guest], *, fresh: bool = False) -> Any:
            batches.append(len(guests))
            return resolver.resolve(guests, fresh=fresh)

        trouble = staticmethod(resolver.trouble)

        def close(self) -> None: ...

    recognition = IdentityCache(Counted())
    guests = [town.on("red", f"10.0.0.{number}") for number in range(50, 90)]
    waiting = [recognition.find(guest) for _ in range(28) for guest in guests]
    told = [one.result(PATIENCE) for one in waiting if not isinstance(one, Found)]
    assert set(told) == {port(town, f"red {number}") for number in range(50, 90)}
    assert sum(batches) == 40
    recognition.close()


@pytest.fixture
def collected() -> Iterator[None]:
    """What a test leaves to the garbage collector is collected while its own filters hold."""
    yield
    left = {NAME, "hang-up"}  # threads that nobody waits for
    assert eventually(lambda: not left & {thread.name for thread in threading.enumerate()}, 90)
    gc.collect()


# py-amqp leaves the sockets of lost connections to the garbage collector.
@pytest.mark.filterwarnings(
    "ignore:Exception ignored in. <socket:pytest.PytestUnraisableExceptionWarning"
)
@pytest.mark.usefixtures("collected")
def test_rpc_server_away(
    town: Town, tmp_path: Path, rabbitmq: Daemon, caplog: pytest.LogCaptureFixture
) -> None:
    """Nobody on the bus, then no bus: Unavailable within its time, and not for longer than that;
    no password is told."""
    caplog.set_level(logging.DEBUG)
    guest = town.on("red", "10.0.0.11")
    with opened(by_rpc(town, tmp_path / "relay.conf", deadline=2)) as resolver:
        answers(resolver, town)
        town.rpc.stop()
        away = one(resolver, guest)
        assert isinstance(away, Unavailable)
        assert "neutron-rpc-server" in away.reason
        rabbitmq.stop()
        away = one(resolver, guest)
        assert isinstance(away, Unavailable)
        assert resolver.trouble() == away.reason
        assert "guest:guest" not in away.reason + caplog.text
        rabbitmq.start()
        town.rpc.start()
        answers(resolver, town)
        assert resolver.trouble() is None
    caplog.clear()  # its tracebacks hold sockets


def test_api_away(town: Town, keystone: Keystone, tmp_path: Path) -> None:
    """Without Neutron's API it is Unavailable; when it is back, it answers."""
    with opened(by_rest(keystone, tmp_path / "relay.conf")) as resolver:
        answers(resolver, town)
        town.neutron.stop()
        away = one(resolver, town.on("red", "10.0.0.11"))
        assert isinstance(away, Unavailable)
        assert resolver.trouble() == away.reason
        town.neutron.start()
        answers(resolver, town)
        assert resolver.trouble() is None
