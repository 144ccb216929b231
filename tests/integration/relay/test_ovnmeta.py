"""`firstlight ovnmeta` with a real Open vSwitch, on a host of its own, and a real southbound
database whose rows are written as Neutron and ovn-controller write them."""

import json
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from uuid import uuid4

import pytest

from integration.relay.southbound_database import Southbound
from lab.relay.node import Node, comes
from support.relay.agent_process import FIRSTLIGHT
from support.servers.databases import free_port
from support.servers.own_host import OwnHost, family

METADATA = "169.254.169.254"
MAC = "fa:16:3e:00:00:02"


class Place:
    """A chassis, the database, and the command."""

    def __init__(self, node: Node, database: Southbound) -> None:
        self.node = node
        self.database = database
        self.name = str(uuid4())
        self._running: subprocess.Popen[bytes] | None = None

    def begin(self) -> None:
        """Start the command."""
        log = self.node.home / "ovnmeta.log"
        self._running = self.node.host.start(*self._command(), log=log)

    def fail(self, more: str = "") -> str:
        """Run it where it cannot start; what it says."""
        command = self.node.host.command(*self._command(more))
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 1
        return done.stderr

    def _command(self, more: str = "") -> list[str | Path]:
        text = f"[ovn]\novn_sb_connection = {self.database.remote}\n{more}"
        conf = self.node.write("ovnmeta.conf", text)
        return [FIRSTLIGHT, "ovnmeta", f"--config-file={conf}"]

    def end(self) -> None:
        """Kill it."""
        assert self._running is not None
        self.node.host.kill(self._running)

    def reload(self) -> None:
        """Have another process go on, and wait until the one before has ended."""
        assert self._running is not None
        _, master, before = family(self._running.pid)[:3]
        os.kill(master, signal.SIGHUP)
        log = self.node.home / "ovnmeta.log"
        assert comes(lambda: "has taken over" in log.read_text()), log.read_text()
        assert comes(lambda: before not in family(master)), log.read_text()

    def network(self, network: str) -> tuple[list[str], str]:
        """Its datapath; its metadata port, in two subnets."""
        datapath = self.database.network(network)
        port = self.database.bind(datapath, f"{MAC} 10.0.0.2 10.1.0.2")
        ids = {
            "neutron:device_id": f"ovnmeta-{network}",
            "neutron:cidrs": "10.0.0.2/24 10.1.0.2/24",
            "neutron:mtu": "1442",
        }
        told = ["map", [list(pair) for pair in ids.items()]]
        self.database.change(port, type="localport", external_ids=told)
        return datapath, port

    def has(self, network: str) -> bool:
        """Whether the namespace is there."""
        return f"ovnmeta-{network}" in self.node.host.namespaces()

    def addresses(self, network: str) -> set[str]:
        """IPv4, of the cable's end inside; empty as long as there is none."""
        device = f"tap{network[:10]}1"
        command = ("ip", "-json", "address", "show", "dev", device)
        done = subprocess.run(
            self.node.host.command(*command, within=f"ovnmeta-{network}"),
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            return set()
        shown = json.loads(done.stdout)[0]["addr_info"]
        return {one["local"] for one in shown if one["family"] == "inet"}

    def plugged(self, device: str) -> str:
        """Of which logical port it is the switch's; empty: it is not plugged in."""
        told = self.node.vsctl("--if-exists", "get", "Interface", device, "external_ids:iface-id")
        return told.strip(' "\n')

    def becomes(self, network: str, *addresses: str) -> bool:
        """Whether it has these addresses and the metadata address, before long."""
        return comes(lambda: self.addresses(network) == {METADATA, *addresses})


@pytest.fixture
def place() -> Iterator[Place]:
    """A switch, an empty database, and nothing that runs in between."""
    home = Path(tempfile.mkdtemp(prefix="firstlight-ovnmeta-"))
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, home, ignore_errors=True)
        database = Southbound(home, free_port())
        stack.callback(database.stop)
        database.start()
        host = stack.enter_context(OwnHost(home))
        host.reach(database.port)
        made = Place(Node(host, home, home), database)
        made.node.start_switch(system_id=made.name)
        yield made


def test_life(place: Place) -> None:
    """It comes with the first guest here, has addresses of the subnets that have guests here, and
    goes with the last one; a guest elsewhere is nothing to it."""
    red = str(uuid4())
    datapath, port = place.network(red)
    here, elsewhere = place.database.chassis(place.name), None
    guest = place.database.bind(datapath, "fa:16:3e:00:00:05 10.0.0.5", chassis=here)
    place.begin()
    assert place.becomes(red, "10.0.0.2"), place.node.logs()

    device = f"tap{red[:10]}0"
    assert comes(lambda: place.plugged(device) == port)
    link = place.node.host.run("ip", "link", "show", f"tap{red[:10]}1", within=f"ovnmeta-{red}")
    assert MAC in link
    assert "mtu 1442" in link
    assert "UP" in link

    other = place.database.bind(datapath, "fa:16:3e:00:00:06 10.1.0.6", chassis=elsewhere)
    place.database.change(other, chassis=here)
    assert place.becomes(red, "10.0.0.2", "10.1.0.2")
    place.database.remove(guest)
    assert place.becomes(red, "10.1.0.2")
    place.database.change(other, chassis=["set", []])
    assert comes(lambda: not place.has(red))
    assert comes(lambda: device not in place.node.vsctl("list-ports", "br-int"))


def test_found_at_the_start(place: Place) -> None:
    """What is there from before is kept, mended, or taken away; other namespaces are not its."""
    red, blue = str(uuid4()), str(uuid4())
    here = place.database.chassis(place.name)
    for network in (red, blue):
        datapath, _port = place.network(network)
        place.database.bind(datapath, "fa:16:3e:00:00:05 10.0.0.5", chassis=here)
    place.begin()
    assert place.becomes(red, "10.0.0.2"), place.node.logs()
    assert place.becomes(blue, "10.0.0.2"), place.node.logs()
    place.end()
    assert place.becomes(red, "10.0.0.2")  # its end changes nothing

    run = place.node.host.run
    run("ip", "link", "delete", f"tap{blue[:10]}0")
    run("ip", "address", "add", "10.9.9.9/24", "dev", f"tap{red[:10]}1", within=f"ovnmeta-{red}")
    left_over, not_ours = f"ovnmeta-{uuid4()}", "ovnmeta-of-somebody-else"
    for name in (left_over, not_ours):
        run("ip", "netns", "add", name)
    place.begin()
    assert place.becomes(red, "10.0.0.2"), place.node.logs()
    assert place.becomes(blue, "10.0.0.2"), place.node.logs()
    assert comes(lambda: left_over not in place.node.host.namespaces())
    assert not_ours in place.node.host.namespaces()


def test_one_that_fails(place: Place) -> None:
    """A network whose namespace cannot be made is logged, hurts no other, and is made as soon as
    it can be; while the database is away nothing is taken away."""
    broken, red = str(uuid4()), str(uuid4())
    here = place.database.chassis(place.name)
    file = f"/run/netns/ovnmeta-{broken}"
    place.node.host.run("touch", file)  # what an agent leaves behind that was killed
    for network in (broken, red):
        datapath, _port = place.network(network)
        place.database.bind(datapath, "fa:16:3e:00:00:05 10.0.0.5", chassis=here)
    place.begin()
    assert place.becomes(red, "10.0.0.2"), place.node.logs()
    log = place.node.home / "ovnmeta.log"
    assert comes(lambda: f"ovnmeta-{broken}: " in log.read_text())
    place.node.host.run("rm", file)
    assert place.becomes(broken, "10.0.0.2"), place.node.logs()
    place.database.stop()
    assert place.has(red)
    place.database.start()
    datapath, _port = place.network(later := str(uuid4()))
    place.database.bind(datapath, "fa:16:3e:00:00:05 10.0.0.5", chassis=here)
    assert place.becomes(later, "10.0.0.2"), place.node.logs()
    assert place.has(red)


def test_reload(place: Place) -> None:
    """After SIGHUP another process goes on; what there is stays, and what comes is made."""
    red = str(uuid4())
    here = place.database.chassis(place.name)
    datapath, _port = place.network(red)
    place.database.bind(datapath, "fa:16:3e:00:00:05 10.0.0.5", chassis=here)
    place.begin()
    assert place.becomes(red, "10.0.0.2"), place.node.logs()
    place.reload()
    assert place.addresses(red) == {METADATA, "10.0.0.2"}
    place.database.bind(datapath, "fa:16:3e:00:00:06 10.1.0.6", chassis=here)
    assert place.becomes(red, "10.0.0.2", "10.1.0.2"), place.node.logs()


def test_no_switch(place: Place) -> None:
    """Without a system-id, or without a switch, it says so and does not start."""
    place.node.vsctl("remove", "Open_vSwitch", ".", "external_ids", "system-id")
    assert "external_ids:system-id" in place.fail()
    assert "/nowhere" in place.fail("[ovs]\novsdb_connection = unix:/nowhere\n")
