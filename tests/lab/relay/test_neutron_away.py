"""Neutron stops answering, and guests whose MAC the kernel still sees are known on: law 5's proof.

A real Neutron over RabbitMQ, broker, proxy and metadata service as processes, and a guest in a real
namespace with a real neighbour table.
"""

import json
from collections.abc import Iterator
from typing import NamedTuple

import pytest

from lab.relay.conftest import Town
from support.cloud.store_samples import server, uuid
from support.relay.agent_process import metadata_service
from support.relay.namespaces import MAC, METADATA, METADATA_IPV6, Namespace
from support.relay.relay_host import PATIENCE, RelayHost
from support.servers.databases import eventually

ADDRESS = "192.0.2.10"
ANOTHER_MAC = "fa:16:3e:66:66:66"
# Answers are believed for a second, so that a test does not have to wait for ten.
AGENT = """\
host = another-network-node
transport_url = {bus}
nova_metadata_port = {port}
metadata_proxy_shared_secret = s3cret
"""
PATH = "openstack/latest/meta_data.json"
BY_IPV4 = f"http://{METADATA}/{PATH}"
BY_LINK_LOCAL = f"http://[{METADATA_IPV6}%25eth0]/{PATH}"


class Told(NamedTuple):
    """What a guest is told: the status, who it is, and from when that is known if not from now."""

    status: int
    uuid: str = ""
    stale: str = ""


class Scene(NamedTuple):
    """A guest known to Neutron, in the namespace of its network; and one who never asked."""

    town: Town
    host: RelayHost
    guest: Namespace
    serving: Namespace
    stranger: Namespace

    def told(self, url: str = BY_IPV4, guest: Namespace | None = None) -> Told:
        """What the guest is told now."""
        answer = (guest or self.guest).curl("-i", url, seconds=30).stdout.decode()
        head, _, body = answer.replace("\r\n", "\n").partition("\n\n")
        fields = dict(line.split(": ", 1) for line in head.splitlines()[1:])
        status = int(head.split()[1]) if head else 0
        known = json.loads(body)["uuid"] if status == 200 else ""
        return Told(status, known, fields.get("Firstlight-Stale", ""))

    def becomes(self, status: int, uuid: str = "", *, stale: bool = False) -> bool:
        """Whether that is what it is told before long."""

        def so() -> bool:
            said = self.told()
            return (*said[:2], bool(said.stale)) == (status, uuid, stale)

        return eventually(so, 2 * PATIENCE)


@pytest.fixture
def scene(town: Town, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """The guest has been recognised, over IPv4 and IPv6."""
    for network in ("away", "never seen"):
        town.network(network)
        town.subnet(network, "192.0.2.0/24")
    name = "guest that is known"
    town.port(name, "away", ADDRESS, mac_address=MAC, device_id=uuid(1))
    project = town.ports[name]["project_id"]
    servers = [server(number, project_id=project) for number in (1, 2)]
    with metadata_service(tmp_path_factory.mktemp("metadata"), *servers) as service:
        more = AGENT.format(bus=town.transport_url, port=service.port)
        terms = {"identity_seconds": 1, "nobody_seconds": 1, "resolver_deadline": 2}
        with RelayHost(user=0, more=more, agent_socket="", resolver="neutron-rpc", **terms) as host:
            guest = host.networks.isolated(f"qdhcp-{town.networks['away']}")
            stranger = host.networks.isolated(f"qdhcp-{town.networks['never seen']}")
            serving = Namespace(host.directory, f"qdhcp-{town.networks['away']}")
            yield Scene(town, host, guest, serving, stranger)


def test_neutron_away(scene: Scene) -> None:
    """While Neutron does not answer: the same MAC is the same server, and that is said to be old;
    another MAC, or none in the neighbour table, is nobody that can be told who it is; and the next
    owner of the address is known once Neutron is back."""
    assert scene.becomes(200, uuid(1)), scene.host.logs()
    assert eventually(lambda: scene.told(BY_LINK_LOCAL) == Told(200, uuid(1)), PATIENCE)

    scene.town.rpc.pause()
    try:
        _away(scene)
        _next_owner(scene)
        _other_mac(scene)
        _no_entry(scene)
    finally:
        scene.town.rpc.resume()
    scene.guest.run(f"ip link set eth0 address {ANOTHER_MAC}")
    forget(scene)
    assert scene.becomes(200, uuid(2)), scene.host.logs()
    assert eventually(lambda: scene.host.ready()["ready"] is True, PATIENCE)


def _away(scene: Scene) -> None:
    assert scene.becomes(200, uuid(1), stale=True), scene.host.logs()
    by_link_local = scene.told(BY_LINK_LOCAL)
    for said in (scene.told(), by_link_local):
        name, _, age = said.stale.partition("; age=")
        assert (said.status, said.uuid, name) == (200, uuid(1), "identity")
        assert int(age) >= 1
    assert scene.told(guest=scene.stranger) == Told(503)
    assert "neutron-rpc-server" in scene.host.ready()["checks"]["neutron-rpc"]
    assert "firstlight_relay_identities_stale_total 0.0" not in scene.host.metrics()


def _next_owner(scene: Scene) -> None:
    """The server goes, and another one gets its address."""
    port = scene.town.ports["guest that is known"]["id"]
    scene.town.neutron.change("port", port, device_id=uuid(2), mac_address=ANOTHER_MAC)


def _other_mac(scene: Scene) -> None:
    """The next owner of the address is never taken for the one who had it before."""
    scene.guest.run(f"ip link set eth0 address {ANOTHER_MAC}")
    forget(scene)
    assert scene.becomes(503), scene.told()
    assert scene.told() == Told(503)
    scene.guest.run(f"ip link set eth0 address {MAC}")
    forget(scene)
    assert scene.becomes(200, uuid(1), stale=True)


def _no_entry(scene: Scene) -> None:
    """The address is behind another one, which alone the kernel has for a neighbour."""
    scene.guest.run(
        "ip addr flush dev eth0 scope global; ip addr add 192.0.2.11/24 dev eth0;"
        f"ip addr add {ADDRESS}/32 dev lo;"
        f"ip route add {METADATA}/32 via 192.0.2.2 src {ADDRESS}; ip neigh flush dev eth0;"
        "sysctl -qw net.ipv4.conf.eth0.arp_announce=2 net.ipv4.conf.eth0.arp_ignore=1"
    )
    scene.serving.run(f"ip route add {ADDRESS}/32 via 192.0.2.11")
    forget(scene)
    assert scene.becomes(503), scene.told()
    assert scene.told() == Told(503)
    scene.serving.run(f"ip route del {ADDRESS}/32")
    scene.guest.run(
        f"ip addr del {ADDRESS}/32 dev lo; ip addr flush dev eth0 scope global;"
        f"ip addr add {ADDRESS}/24 dev eth0; ip route add {METADATA}/32 via 192.0.2.2"
    )


def forget(scene: Scene) -> None:
    """Have the kernel learn its neighbours anew, as it does by itself after a while."""
    scene.serving.run("ip neigh flush dev tap0")
