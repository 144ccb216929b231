"""Guests recognised by the embedded store, on SQLite."""

from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path

import pytest

from firstlight.instance import Interface
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
from firstlight.relay.resolvers.store import StoreResolver
from firstlight.sources.store import Store
from support.cloud.store_samples import interface, server, uuid
from support.servers.databases import eventually

PATIENCE = 30
MAC = "fa:16:3e:00:00:01"  # of store_samples' interfaces


def at(network: str, address: str, via: Via = Via.NETWORK) -> Guest:
    return Guest(Origin(via, network), ip_address(address))


def on(address: str, network: str = "n1", port: str = "p") -> Interface:
    return interface(address, "fd00::/64" if ":" in address else "10.0.0.0/24", network, port=port)


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/store.sqlite"


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    """Another process's view of it."""
    made = Store.open(url)
    made.prepare()
    yield made
    made.close()


@pytest.fixture
def resolver(store: Store, url: str) -> Iterator[StoreResolver]:
    made = StoreResolver(Store.open(url))
    yield made
    made.close()


def one(resolver: StoreResolver, guest: Guest, *, fresh: bool = False) -> Resolution:
    [resolution] = resolver.resolve([guest], fresh=fresh)
    return resolution


def test_addresses_mean_something_on_a_network(store: Store, resolver: StoreResolver) -> None:
    """An address is a guest's on its network only; link-local is by the MAC; no router is known."""
    store.add(server(1, interfaces=(on("10.0.0.5", "n1"), on("fd00::5", "n3", port="q"))))
    store.add(server(2, interfaces=(on("10.0.0.5", "n2", port="r"),)))
    guests = [
        at("n1", "10.0.0.5"),
        at("n2", "10.0.0.5"),
        at("n3", "fd00::5"),
        at("n2", str(address_of(MAC))),
        at("n4", "10.0.0.5"),
        at("n1", "10.0.0.6"),
        at("n1", "10.0.0.5", Via.ROUTER),
    ]
    assert resolver.resolve(guests) == [
        Found(uuid(1), "p1", "p", MAC),
        Found(uuid(2), "p1", "r", MAC),
        Found(uuid(1), "p1", "q", MAC),
        Found(uuid(2), "p1", "r", MAC),
        *[Nobody()] * 3,
    ]


def test_two_with_one_address(
    store: Store, resolver: StoreResolver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two instances with one address on one network, which earlier versions took, are neither."""
    monkeypatch.setattr("firstlight.sources.store.store.refuse_taken", lambda *_: None)
    for number, port in ((1, "a"), (2, "b")):
        store.add(server(number, interfaces=(on("10.0.0.5", port=port),)))
    assert one(resolver, at("n1", "10.0.0.5")) == Ambiguous(("a", "b"))


def test_changes_are_followed(store: Store, resolver: StoreResolver) -> None:
    """What another process adds, changes and removes is known before long."""
    guest, other = at("n1", "10.0.0.5"), at("n1", "10.0.0.6")
    found = Found(uuid(1), "p1", "p", MAC)
    assert one(resolver, guest) == Nobody()
    store.add(server(1, interfaces=(on("10.0.0.5"),)))
    assert eventually(lambda: one(resolver, guest) == found, PATIENCE)
    store.update(server(1, interfaces=(on("10.0.0.6"),)))
    assert eventually(lambda: resolver.resolve([guest, other]) == [Nobody(), found], PATIENCE)
    store.remove(uuid(1))
    assert eventually(lambda: one(resolver, other) == Nobody(), PATIENCE)


def test_fresh_does_not_wait_for_news(store: Store, resolver: StoreResolver) -> None:
    """Asked freshly it knows what was committed a moment ago, whether an address came or went."""
    guest = at("n1", "10.0.0.5")
    one(resolver, guest)
    store.add(server(1, interfaces=(on("10.0.0.5"),)))
    assert one(resolver, guest, fresh=True) == Found(uuid(1), "p1", "p", MAC)
    store.remove(uuid(1))
    assert one(resolver, guest, fresh=True) == Nobody()


def test_other_macs_of_the_server(store: Store, resolver: StoreResolver) -> None:
    """A server's ports on one network know of each other's MAC, in lower case."""
    other = interface("10.0.0.6", "10.0.0.0/24", "n1", port="q", mac="FA:16:3E:00:00:02")
    away = interface("10.0.0.7", "10.0.0.0/24", "n2", port="r", mac="fa:16:3e:00:00:03")
    store.add(server(1, interfaces=(on("10.0.0.5", "n1"), other, away)))
    told = one(resolver, at("n1", "10.0.0.5"), fresh=True)
    assert told == Found(uuid(1), "p1", "p", MAC, other_macs=("fa:16:3e:00:00:02",))


def test_store_away(tmp_path: Path) -> None:
    """A store that cannot be read is Unavailable, and says why; when it can, it answers."""
    directory = tmp_path / "later"
    directory.write_text("in the way")
    resolver = StoreResolver(Store.open(f"sqlite:///{directory}/store.sqlite", timeout=1))
    try:
        away = one(resolver, at("n1", "10.0.0.5"))
        assert isinstance(away, Unavailable)
        assert away.reason
        directory.unlink()
        assert eventually(lambda: one(resolver, at("n1", "10.0.0.5")) == Nobody(), PATIENCE)
    finally:
        resolver.close()
