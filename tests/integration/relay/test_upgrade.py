"""Proxy and broker are replaced while guests ask: nothing is lost, and nothing is missing after."""

import os
import signal
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from uuid import uuid4

import pytest

from firstlight.httpd.protocol.messages import Response
from firstlight.relay.broker.protocol import Message, Ready, UpToDate, receive, send
from support.guests.crowd import crowd
from support.relay.namespaces import METADATA_IPV6, Namespace
from support.relay.relay_host import PATIENCE, RelayHost
from support.servers.databases import eventually

OVER_IPV6 = f"[{METADATA_IPV6}%25eth0]"
ROUNDS = 5 if os.environ.get("FIRSTLIGHT_SOAK") else 1


@dataclass
class Known:
    """A guest, its address, and what it is told over IPv4."""

    guest: Namespace
    address: str
    promise: str

    @classmethod
    def at(cls, host: RelayHost, kind: str, header: str) -> "Known":
        """One in a namespace of this kind."""
        place = str(uuid4())
        make = host.networks.routed if kind == "qrouter" else host.networks.isolated
        address = "198.51.100.10" if kind == "qrouter" else "192.0.2.10"
        return cls(make(f"{kind}-{place}"), address, f"x-{header}-id {place} {address}")

    def answered(self) -> bool:
        """Whether it is told who it is, over both protocols, before long."""
        over_ipv6 = self.promise.rpartition(" ")[0]
        return eventually(lambda: self.guest.ask() == self.promise, PATIENCE) and eventually(
            lambda: self.guest.ask(OVER_IPV6).startswith(over_ipv6), PATIENCE
        )


@pytest.fixture(scope="module")
def host() -> Iterator[RelayHost]:
    # Who may start Python again is a matter of where it is; root may, without privileges, too.
    with RelayHost(user=0, guest_rate=0) as running:
        yield running


@pytest.fixture(scope="module")
def guests(host: RelayHost) -> list[Known]:
    """One in a namespace of each kind, answered."""
    found = [
        Known.at(host, "qdhcp", "neutron-network"),
        Known.at(host, "qrouter", "neutron-router"),
        Known.at(host, "ovnmeta", "ovn-network"),
    ]
    assert all(each.answered() for each in found), host.logs()
    return found


def listeners(host: RelayHost) -> str:
    """What the metrics say of where the proxy listens."""
    return next(x for x in host.metrics().splitlines() if x.startswith("firstlight_relay_list"))


def replace_broker(host: RelayHost) -> None:
    """As a package's upgrade does it."""
    host.broker.end()
    assert eventually(lambda: not host.level(), PATIENCE)
    host.broker.start()
    assert eventually(host.level, PATIENCE), host.logs()


def replace_proxy(host: RelayHost) -> None:
    """As `systemctl reload` does it."""
    host.proxy.begin_reload()
    assert eventually(host.proxy.reloaded, PATIENCE), host.logs()


def test_everything_is_replaced_under_load(host: RelayHost, guests: list[Known]) -> None:
    """Guests that ask without a pause while proxy, broker and proxy again are replaced are all
    answered; the last proxy listens wherever the first one did."""
    before = listeners(host)
    with ExitStack() as stack:
        asking = [
            stack.enter_context(crowd(each.guest, [each.address], "/openstack")) for each in guests
        ]
        for _ in range(ROUNDS):
            replace_proxy(host)
            replace_broker(host)
            replace_proxy(host)
        told = [each.answers() for each in asking]
    for each, answers in zip(guests, told, strict=True):
        assert set(answers[each.address]) == {f"200 {each.promise}"}, host.logs()
    assert listeners(host) == before
    assert all(each.answered() for each in guests)


def test_another_process_gets_the_sockets(host: RelayHost, guests: list[Known]) -> None:
    """A socket that the broker hands to one more process goes on not to block: whoever accepts from
    it must never be made to wait there for the next guest."""
    broker = str(host.home / "broker.sock")
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as connection:
        connection.settimeout(PATIENCE)
        connection.connect(broker)
        send(connection, Ready())
        while not isinstance((heard := received(connection))[0], UpToDate):
            message, opened = heard
            assert opened is not None
            with opened:
                listens = opened.family != socket.AF_NETLINK
                assert not (listens and os.get_blocking(opened.fileno())), message
    assert all(each.answered() for each in guests)


def received(connection: socket.socket) -> tuple[Message, socket.socket | None]:
    """What the broker says next."""
    heard = receive(connection)
    assert heard is not None
    return heard


def test_what_was_asked_before_a_reload(host: RelayHost, guests: list[Known]) -> None:
    """A guest that waits for its answer while a successor takes over gets it from the old process,
    and others are answered by the new one meanwhile."""
    waiting = crowd(guests[0].guest, [guests[0].address], "/held", times=1)
    assert eventually(lambda: host.held_by == 1, PATIENCE), host.logs()
    host.proxy.begin_reload()
    assert all(each.answered() for each in guests)
    assert not host.proxy.reloaded()
    host.held.set_result(Response(200, b"at last"))
    assert waiting.answers() == {guests[0].address: {"200 at last": 1}}
    assert eventually(host.proxy.reloaded, PATIENCE)


def test_reload_without_a_broker(host: RelayHost, guests: list[Known]) -> None:
    """A successor that gets no sockets does not take over: guests go on being answered by the old
    process, the log says why, and the next reload succeeds when the broker is back."""
    before = listeners(host)
    host.broker.end()
    host.proxy.hang_up()
    assert eventually(lambda: "the one before goes on" in host.proxy.log.read_text(), PATIENCE)
    assert "is it running" in host.proxy.log.read_text()
    assert all(each.answered() for each in guests), host.logs()
    host.broker.start()
    assert eventually(host.level, PATIENCE), host.logs()
    replace_proxy(host)
    assert listeners(host) == before
    assert all(each.answered() for each in guests)


def test_what_vanishes_while_no_broker_looks(host: RelayHost, guests: list[Known]) -> None:
    """A namespace that went while there was no broker is let go of by the next one, and the one
    that came is served."""
    gone = Known.at(host, "qdhcp", "neutron-network")
    assert gone.answered()
    before = listeners(host)
    host.broker.end()
    Namespace(host.directory, gone.guest.path.name.removesuffix("g")).remove()
    new = Known.at(host, "qdhcp", "neutron-network")
    host.broker.start()
    assert all(each.answered() for each in (new, *guests)), host.logs()
    assert eventually(lambda: listeners(host) == before, PATIENCE), listeners(host)


def test_the_broker_is_reloaded(host: RelayHost, guests: list[Known]) -> None:
    """As `systemctl reload` does it: the next broker has all the sockets, and serves what comes."""
    before, serves = listeners(host), host.broker.pid
    with ExitStack() as stack:
        asking = [
            stack.enter_context(crowd(each.guest, [each.address], "/openstack")) for each in guests
        ]
        host.broker.begin_reload()
        assert eventually(host.broker.reloaded, PATIENCE), host.logs()
        new = Known.at(host, "qdhcp", "neutron-network")
        assert new.answered(), host.logs()
        told = [each.answers() for each in asking]
    for each, answers in zip(guests, told, strict=True):
        assert set(answers[each.address]) == {f"200 {each.promise}"}, host.logs()
    assert host.broker.pid != serves
    Namespace(host.directory, new.guest.path.name.removesuffix("g")).remove()
    assert eventually(lambda: listeners(host) == before, PATIENCE), host.logs()


def test_broker_and_proxy_are_killed(host: RelayHost, guests: list[Known]) -> None:
    """What serves is killed in both at once: who asks meanwhile waits, and nobody is refused."""
    for process in (host.proxy, host.broker):
        os.kill(process.pid, signal.SIGKILL)
    with ExitStack() as stack:
        asking = [
            stack.enter_context(crowd(each.guest, [each.address], "/openstack", times=3))
            for each in guests
        ]
        told = [each.answers() for each in asking]
    for each, answers in zip(guests, told, strict=True):
        assert answers[each.address] == {f"200 {each.promise}": 3}, host.logs()
    assert eventually(host.level, PATIENCE), host.logs()
