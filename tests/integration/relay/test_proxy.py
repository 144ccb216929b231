"""The proxy in real namespaces, with the broker: who asks is known by where; nothing is lost."""

import os
import signal
import socket
import subprocess
import time
from pathlib import Path
from uuid import uuid4

import pytest

from firstlight.relay.broker.protocol import Ready, receive, send
from support.parts import need
from support.relay.namespaces import LINK_LOCAL, METADATA, METADATA_IPV6, Networks
from support.relay.relay_host import NOBODY, PATIENCE, RelayHost
from support.servers.databases import eventually

OVER_IPV6 = f"[{METADATA_IPV6}%25eth0]"
AS_NEUTRON = """\
[metadata_rate_limiting]
rate_limit_enabled = true
base_window_duration = 600
burst_window_duration = 600
"""
SOAK = bool(os.environ.get("FIRSTLIGHT_SOAK"))


@pytest.fixture(scope="module")
def host():
    with RelayHost() as running:
        yield running


@pytest.fixture
def own_host():
    with RelayHost() as running:
        yield running


@pytest.fixture
def roots_host():
    # Who may start Python again is a matter of where it is; root may, without privileges, too.
    with RelayHost(user=0) as running:
        yield running


def answered(guest, promise, where=METADATA):
    return eventually(lambda: guest.ask(where) == promise, PATIENCE)


def isolated(host, kind="qdhcp", **how):
    network = str(uuid4())
    return network, host.networks.isolated(f"{kind}-{network}", **how)


def test_isolated(host):
    """A guest on an isolated network is known by its network, over IPv4 and link-local IPv6."""
    network, guest = isolated(host)
    assert answered(guest, f"x-neutron-network-id {network} 192.0.2.10"), host.logs()
    assert answered(guest, f"x-neutron-network-id {network} {LINK_LOCAL}", OVER_IPV6)


def test_routed(host):
    """A guest behind a router is known by its router; an IPv4 address is not v4-mapped."""
    router = str(uuid4())
    guest = host.networks.routed(f"qrouter-{router}")
    assert answered(guest, f"x-neutron-router-id {router} 198.51.100.10"), host.logs()
    assert answered(guest, f"x-neutron-router-id {router} {LINK_LOCAL}", OVER_IPV6)


def test_ovn(host):
    """A network of OVN's has its own header."""
    network, guest = isolated(host, "ovnmeta")
    assert answered(guest, f"x-ovn-network-id {network} 192.0.2.10"), host.logs()


def test_two_tenants_with_equal_addresses(host):
    """The same address in two networks is two guests."""
    (one, first), (other, second) = isolated(host), isolated(host)
    assert answered(first, f"x-neutron-network-id {one} 192.0.2.10")
    assert answered(second, f"x-neutron-network-id {other} 192.0.2.10")


def test_forged_headers(host):
    """Nothing that a guest writes arrives as what the proxy says, in no way of writing it."""
    network, guest = isolated(host)
    assert answered(guest, f"x-neutron-network-id {network} 192.0.2.10")
    names = ["X-Neutron-Network-ID", "X-Neutron-Router-ID", "X-OVN-Network-ID", "X-Forwarded-For"]
    names += ["X_Neutron_Network_ID", "X_Forwarded_For", "X-Instance-ID", "X-Tenant-ID"]
    names += ["X-Instance-ID-Signature", "X-Metadata-Provider", "Firstlight-Stale"]
    forged = [argument for name in names for argument in ("-H", f"{name}: forged")]
    assert guest.ask(METADATA, *forged) == f"x-neutron-network-id {network} 192.0.2.10"
    arrived = host.asked[-1]
    assert "forged" not in arrived.values(), arrived
    assert {"x-neutron-network-id", "x-forwarded-for"} < arrived.keys()


def test_names_of_others(host):
    """A namespace whose name is only similar is left alone; so is a file that is none."""
    network = str(uuid4())
    names = [f"qdhcp-{network}x", f"snat-{network}", f"qdhcp-{network[:-1]}", network]
    others = [host.networks.isolated(name) for name in names]
    proof, guest = isolated(host)
    assert answered(guest, f"x-neutron-network-id {proof} 192.0.2.10")
    assert all(other.curl(f"http://{METADATA}/", seconds=2).returncode == 7 for other in others)


def test_address_that_comes_late_moves_and_returns(host):
    """The address decides, whenever it comes; a namespace without it is in no trouble."""
    network, guest = isolated(host, ipv6=False)
    serving = next(n for n in host.networks._made if n.path.name == f"qdhcp-{network}")
    promise = f"x-neutron-network-id {network} 192.0.2.10"
    assert answered(guest, promise)
    serving.run(f"ip addr del {METADATA}/32 dev tap0")
    before = f"{network}/{METADATA}:80: closed"
    assert eventually(lambda: before in host.broker.log.read_text(), PATIENCE)
    serving.run(f"ip addr add {METADATA}/32 dev tap0")
    assert answered(guest, promise)
    assert f"qdhcp-{network}" not in host.ready()["checks"]
    serving.run(f"ip addr add {METADATA_IPV6}/128 dev tap0")  # with duplicate address detection
    assert answered(guest, f"x-neutron-network-id {network} {LINK_LOCAL}", OVER_IPV6)


def test_name_that_is_given_again(host):
    """A namespace that was removed is let go of, and another of its name is served at once."""
    network = str(uuid4())
    promise = f"x-neutron-network-id {network} 192.0.2.10"
    for _ in range(3):
        networks = Networks(host.directory)
        guest = networks.isolated(f"qdhcp-{network}")
        assert answered(guest, promise), host.logs()
        networks.remove()
    closed = f"{network}/{METADATA}:80: closed"
    assert eventually(lambda: host.broker.log.read_text().count(closed) == 3, PATIENCE)
    assert eventually(lambda: f"{network}" not in host.metrics(), PATIENCE)


def test_broken_namespaces(host):
    """What is wrong in one namespace is said, hurts no other, and heals by itself."""
    file = host.directory / f"qdhcp-{uuid4()}"
    file.touch()
    pipe = host.directory / f"qrouter-{uuid4()}"
    os.mkfifo(pipe)
    network, guest = isolated(host)
    assert answered(guest, f"x-neutron-network-id {network} 192.0.2.10"), host.logs()
    for name in (file.name, pipe.name):
        assert eventually(lambda n=name: "no network namespace" in _said(host, n), PATIENCE)
    assert host.ready()["ready"] is True
    file.unlink()
    pipe.unlink()
    assert eventually(lambda: not _said(host, file.name) + _said(host, pipe.name), PATIENCE)


def test_somebody_else_listens(own_host):
    """Where haproxy of Neutron's agent listens it is said so; when that ends we take its place."""
    network = str(uuid4())
    networks = own_host.networks
    own_host.broker.end()
    guest = networks.isolated(f"qdhcp-{network}", ipv6=False)
    serving = networks._made[0]
    code = f"import socket,time; s=socket.create_server(('{METADATA}',80)); time.sleep(999)"
    squatter = serving.popen(need("python3"), "-c", code)
    try:
        connects = f"exec 3<>/dev/tcp/{METADATA}/80"
        assert eventually(
            lambda: (
                subprocess.run(
                    guest._inside("bash", "-c", connects), capture_output=True
                ).returncode
                == 0
            ),
            PATIENCE,
        )
        own_host.broker.start()
        assert eventually(
            lambda: "another program listens" in _said(own_host, f"qdhcp-{network}"), PATIENCE
        ), own_host.logs()
    finally:
        squatter.kill()
        squatter.wait()
    assert answered(guest, f"x-neutron-network-id {network} 192.0.2.10"), own_host.logs()
    assert eventually(lambda: not _said(own_host, f"qdhcp-{network}"), PATIENCE)


def _said(host, name):
    said = host.ready().get("checks", {}).get(name, "")
    return "" if said == "ok" else said


def test_killed_proxy(own_host):
    """While the proxy is dead nobody is refused: who asks meanwhile is answered by the next."""
    network, guest = isolated(own_host)
    promise = f"x-neutron-network-id {network} 192.0.2.10"
    assert answered(guest, promise)
    own_host.proxy.end(signal.SIGKILL)
    asking = [guest.popen(*_curl(60), stdout=subprocess.PIPE, text=True) for _ in range(5)]
    time.sleep(0.5)
    own_host.proxy.start()
    assert [each.communicate(timeout=60)[0] for each in asking] == [promise] * 5


def _curl(seconds):
    return need("curl"), "-s", "--max-time", str(seconds), f"http://{METADATA}/openstack"


def test_restarted_broker(own_host):
    """Without a broker guests are answered, and the next one goes on where the last one was."""
    network, guest = isolated(own_host)
    promise = f"x-neutron-network-id {network} 192.0.2.10"
    assert answered(guest, promise)
    own_host.broker.end(signal.SIGKILL)
    assert eventually(lambda: "is it running" in _said(own_host, "broker"), PATIENCE)
    assert guest.ask() == promise
    late, latecomer = isolated(own_host)
    own_host.broker.start()
    assert answered(latecomer, f"x-neutron-network-id {late} 192.0.2.10"), own_host.logs()
    assert eventually(own_host.level, PATIENCE)
    assert guest.ask() == promise
    assert not _said(own_host, f"qdhcp-{network}")
    # It holds what it was given: the proxy may go now.
    own_host.proxy.end(signal.SIGKILL)
    asking = guest.popen(*_curl(60), stdout=subprocess.PIPE, text=True)
    time.sleep(0.5)
    own_host.proxy.start()
    assert asking.communicate(timeout=60)[0] == promise


def test_reload_loses_nothing(roots_host):
    """While one process takes over from another, every request of a guest is answered."""
    network, guest = isolated(roots_host)
    promise = f"x-neutron-network-id {network} 192.0.2.10"
    assert answered(guest, promise)
    script = (
        f"for i in $(seq 300); do curl -s --max-time 30 http://{METADATA}/openstack || echo LOST;"
        " echo; done"
    )
    asking = guest.popen("sh", "-c", script, stdout=subprocess.PIPE, text=True)
    roots_host.proxy.begin_reload()
    answers = asking.communicate(timeout=240)[0].splitlines()
    assert answers == [promise] * 300
    assert eventually(roots_host.proxy.reloaded, PATIENCE), roots_host.logs()


def test_storm(host):
    """Many namespaces that come and go at once are followed; the last state counts."""
    number = 100 if SOAK else 10
    networks = Networks(host.directory)
    names = [str(uuid4()) for _ in range(number)]
    guests = {}
    for name in names:
        guests[name] = networks.isolated(f"qdhcp-{name}", ipv6=False)
    for name in names[::2]:
        for each in networks._made:
            if each.path.name == f"qdhcp-{name}":
                each.remove()
    for name in names[1::2]:
        assert answered(guests[name], f"x-neutron-network-id {name} 192.0.2.10"), host.logs()
    networks.remove()
    log = host.broker.log
    assert eventually(
        lambda: all(f"{name}/neighbours:0: closed" in log.read_text() for name in names), PATIENCE
    )


def test_proxy_has_no_privilege(host):
    """The process that reads what guests send is nobody's, with no capability."""
    lines = Path(f"/proc/{host.proxy.pid}/status").read_text().splitlines()
    fields = dict(line.split(":\t", 1) for line in lines)
    assert fields["Uid"].split() == [str(NOBODY)] * 4
    assert int(fields["CapEff"], 16) == int(fields["CapPrm"], 16) == 0


def test_strangers_get_no_sockets(host):
    """The broker hands sockets to root and the proxy's user; whoever else connects is sent away."""
    path = host.home / "broker.sock"
    path.chmod(0o666)  # so that it is the broker who refuses, not the file
    pid = os.fork()
    if pid == 0:
        os.setresuid(4242, 4242, 4242)
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as stranger:
            stranger.connect(str(path))
            try:
                send(stranger, Ready())
                told = receive(stranger)
            except OSError:
                told = None
        os._exit(0 if told is None else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def test_garbage_at_the_broker(host):
    """Nonsense ends a connection to the broker, and nothing else."""
    network, guest = isolated(host)
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as connection:
        connection.settimeout(PATIENCE)
        connection.connect(str(host.home / "broker.sock"))
        connection.send(b'{"type":"opened","spot":7}')
        assert connection.recv(100) == b""
    assert answered(guest, f"x-neutron-network-id {network} 192.0.2.10")


def test_forty_at_once(host):
    """28 requests of a guest at the same moment, as cloud-init may ask, are all answered."""
    network, guest = isolated(host, ipv6=False)
    promise = f"x-neutron-network-id {network} 192.0.2.10"
    assert answered(guest, promise)
    asking = [guest.popen(*_curl(60), stdout=subprocess.PIPE, text=True) for _ in range(28)]
    assert [each.communicate(timeout=120)[0] for each in asking] == [promise] * 28


def test_too_often():
    """A guest that asks too often gets 429, over IPv4 and IPv6 together where it is known."""
    with RelayHost(guest_rate=0.01, guest_burst=5) as host:
        network, guest = isolated(host)
        other, neighbour = isolated(host)
        assert answered(guest, f"x-neutron-network-id {network} 192.0.2.10")
        answers = [guest.ask() for _ in range(6)]
        assert "429" in answers[-1], answers
        assert answered(neighbour, f"x-neutron-network-id {other} 192.0.2.10")
        assert 'firstlight_relay_refused_total{limit="relay"}' in host.metrics()


def test_as_neutron_limits():
    """With Neutron's options ten requests in ten seconds pass and the eleventh is refused."""
    with RelayHost(more=AS_NEUTRON) as host:
        _, guest = isolated(host)
        once = f"curl -s -o /dev/null -w '%{{http_code}} ' http://{METADATA}/"
        script = f"for i in $(seq 12); do {once}; done"
        assert eventually(lambda: "80: opened" in host.broker.log.read_text(), PATIENCE)
        asking = guest.popen("sh", "-c", script, stdout=subprocess.PIPE, text=True)
        statuses = asking.communicate(timeout=120)[0].split()
        assert statuses == ["200"] * 10 + ["429"] * 2
