"""The agent between real haproxies and a real Neutron: what guests get, and Neutron shows."""

import json
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from guests.net import GUEST, GUEST_MACS, Net, network
from lab.relay.conftest import Town
from lab.relay.haproxies import haproxy
from support.cloud.store_samples import server
from support.parts import need
from support.relay.agent_process import metadata_service, running
from support.servers.databases import eventually
from support.servers.http_server import read_all

PATIENCE = 60
AGENT = """\
[DEFAULT]
host = the-network-node
state_path = {directory}
transport_url = {bus}
nova_metadata_port = {port}
metadata_proxy_shared_secret = s3cret
[agent]
report_interval = 2
# As kolla-ansible and openstack-helm write it; oslo.concurrency reads its own from cfg.CONF.
[oslo_concurrency]
lock_path = $state_path/lock
[oslo_messaging_rabbit]
use_queue_manager = true
rabbit_quorum_queue = true
rabbit_transient_quorum_queue = true
"""
GLOBAL = "fd00:1::5"
BY_IPV4 = "http://169.254.169.254"
BY_LINK_LOCAL = "http://[fe80::a9fe:a9fe%25eth0]"


@pytest.fixture(scope="module")
def guest(town: Town) -> dict[str, Any]:
    """The port of the guest that asks."""
    town.port("guest", "red", GUEST, GLOBAL, mac_address=GUEST_MACS["eth0"])
    return town.ports["guest"]


@pytest.fixture(scope="module")
def agent(
    town: Town, guest: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Path]:
    """Our agent, before our metadata service; the directory it runs in."""
    directory = tmp_path_factory.mktemp("agent")
    owner = {"uuid": guest["device_id"], "project_id": guest["project_id"]}
    with metadata_service(directory, server(**owner, user_data="AP+A")) as service:
        text = AGENT.format(directory=directory, bus=town.transport_url, port=service.port)
        with running(directory, "agent", text):
            yield directory


def _succeeds(command: list[str]) -> bool:
    return subprocess.run(command, capture_output=True).returncode == 0


def curl(net: Net, url: str, *more: str) -> tuple[int, bytes]:
    """What the guest gets: status and body."""
    done = subprocess.run(
        net.guest.command("curl", "-gsS", "-m", "60", "-w", "\n%{http_code}", *more, url),
        capture_output=True,
    )
    assert done.returncode == 0, done.stderr
    body, _, status = done.stdout.rpartition(b"\n")
    return int(status), body


@pytest.fixture(scope="module", params=["network", "ovn"])
def net(request: pytest.FixtureRequest, town: Town, agent: Path) -> Iterator[Net]:
    """A guest's network, with the proxy that Neutron's DHCP or OVN agent would start there.

    An OVN id names a network too, so Neutron's server, asked by RPC, knows its ports.
    """
    need("curl")
    with (
        network() as made,
        haproxy(
            request.param, town.networks["red"], agent / "metadata_proxy", made.service.command
        ),
    ):
        # Neutron's RPC server takes a while to come up, and the guest's fe80:: to be its own.
        for url in (BY_IPV4, BY_LINK_LOCAL):
            asking = made.guest.command("curl", "-gsf", "-m", "60", f"{url}/openstack")
            assert eventually(lambda: _succeeds(asking), 2 * PATIENCE)  # noqa: B023  asked before the loop goes on
        yield made


@pytest.mark.parametrize("url", [BY_IPV4, BY_LINK_LOCAL])
def test_a_guest_gets_its_own(net: Net, guest: dict[str, Any], url: str) -> None:
    """By IPv4 and by link-local IPv6, through Neutron's haproxy, recognised by Neutron's server."""
    status, body = curl(net, f"{url}/openstack/latest/meta_data.json")
    assert status == 200
    assert json.loads(body)["uuid"] == guest["device_id"]
    assert curl(net, f"{url}/openstack/latest/user_data") == (200, b"\0\xff\x80")


@contextmanager
def addressed(net: Net, *addresses: str) -> Iterator[None]:
    """The guest has these addresses as well, and the service has one on their network."""
    changes = [(net.guest.name, f"{address}/64", "eth0") for address in addresses]
    changes.append((net.service.name, "fd00:1::2/64", "tap0"))

    def change(verb: str, *more: str) -> None:
        for name, address, card in changes:
            command = ["ip", "-n", name, "address", verb, address, "dev", card, *more]
            subprocess.run(command, check=True)

    change("add", "nodad")
    try:
        yield
    finally:
        change("delete")


def test_global_ipv6(net: Net, guest: dict[str, Any]) -> None:
    """A guest that asks from the address which Neutron gave it is known by that, and one that has
    made up its own is nobody."""
    path = f"{BY_LINK_LOCAL}/openstack/latest/meta_data.json"
    with addressed(net, GLOBAL, "fd00:1::66"):
        status, body = curl(net, path, "--interface", GLOBAL)
        assert (status, json.loads(body)["uuid"]) == (200, guest["device_id"])
        assert curl(net, path, "--interface", "fd00:1::66")[0] == 404


@pytest.mark.parametrize(
    "forged",
    [
        "X-Neutron-Network-ID: {blue}",
        "X-Neutron-Router-ID: {blue}",
        "X-OVN-Network-ID: {blue}",
        "X-Forwarded-For: 10.0.0.11",
        "X-Forwarded-For: 10.0.0.11, 10.0.0.11",
        "X-Instance-ID: {red}",
        "X-Instance-ID-Signature: 0",
        "X-Tenant-ID: {red}",
        "X-Metadata-Provider: {red}",
        "Firstlight-Stale: neutron",
    ],
)
def test_forged(net: Net, town: Town, guest: dict[str, Any], forged: str) -> None:
    """Whatever a guest adds, it is refused or gets its own metadata, and nothing breaks."""
    header = forged.format(blue=town.networks["blue"], red=town.ports["red"]["device_id"])
    status, body = curl(net, f"{BY_IPV4}/openstack/latest/meta_data.json", "-H", header)
    assert status in (200, 400)
    if status == 200:
        assert json.loads(body)["uuid"] == guest["device_id"]


def test_another_guests_address(net: Net) -> None:
    """A link-local address of our own making names nobody, and nobody gets nothing."""
    made_up = ["fe80::1234/64", "dev", "eth0"]
    change = ["ip", "-n", net.guest.name, "address"]
    subprocess.run([*change, "add", *made_up, "nodad"], check=True)
    try:
        answer = net.guest.call(ask_from, "fe80::1234")
    finally:
        subprocess.run([*change, "delete", *made_up], check=True)
    assert answer.startswith(b"HTTP/1.1 404 ")


def ask_from(address: str) -> bytes:
    """The answer to one who gives itself this link-local address."""
    card = socket.if_nametoindex("eth0")
    with socket.socket(socket.AF_INET6) as client:
        client.settimeout(PATIENCE)
        client.bind((address, 0, 0, card))
        client.connect(("fe80::a9fe:a9fe", 80, 0, card))
        client.sendall(b"GET /openstack HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        return read_all(client)


def test_forty_first_requests(net: Net) -> None:
    """Forty requests at the same moment are all answered."""
    urls = [word for n in range(40) for word in ("-o", "/dev/null", f"{BY_IPV4}/openstack?{n}")]
    done = subprocess.run(
        net.guest.command(
            *("curl", "-s", "-Z", "--parallel-immediate", "--parallel-max", "40"),
            *("-w", "%{http_code}\n", *urls),
        ),
        capture_output=True,
        text=True,
    )
    assert done.stdout.split() == ["200"] * 40


def test_behind_a_router(town: Town, agent: Path, guest: dict[str, Any]) -> None:
    """Where a router's haproxy listens, guests are found on the router's networks, whether their
    address is IPv4 (which arrives v4-mapped), link-local or global."""
    socket_path = agent / "metadata_proxy"
    with (
        network() as net,
        haproxy("router", town.routers["red"], socket_path, net.service.command),
        addressed(net, GLOBAL),
    ):
        asking = net.guest.command("curl", "-gsf", "-m", "60", f"{BY_LINK_LOCAL}:9697/openstack")
        assert eventually(lambda: _succeeds(asking), PATIENCE)  # its fe80:: is its own by then
        path = ":9697/openstack/latest/meta_data.json"
        for how in (
            (f"{BY_IPV4}{path}",),
            (f"{BY_LINK_LOCAL}{path}",),
            (f"{BY_LINK_LOCAL}{path}", "--interface", GLOBAL),
        ):
            status, body = curl(net, *how)
            assert (status, json.loads(body)["uuid"]) == (200, guest["device_id"])


def test_neutron_shows_it_alive(town: Town, agent: Path) -> None:
    """`openstack network agent list` shows the agent, alive, with Neutron's own names."""

    def shown() -> list[dict[str, Any]]:
        listed = town.neutron.ask("agents?host=the-network-node").json()["agents"]
        return [one for one in listed if one["alive"]]

    assert eventually(lambda: bool(shown()), PATIENCE)
    [one] = shown()
    assert (one["agent_type"], one["binary"]) == ("Metadata agent", "neutron-metadata-agent")
    assert one["configurations"]["metadata_proxy_socket"] == f"{agent}/metadata_proxy"
    first = one["heartbeat_timestamp"]
    assert eventually(lambda: shown()[0]["heartbeat_timestamp"] > first, PATIENCE)
