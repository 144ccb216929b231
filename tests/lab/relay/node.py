"""A host of Neutron's, as a machine of its own: Open vSwitch, Neutron's real agents, guests.

The switch forwards in userspace (``datapath_type=netdev``), so the kernel needs no module for it.
"""

import json
import os
import subprocess
import textwrap
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from support.parts import need
from support.servers.databases import eventually
from support.servers.own_host import OwnHost

PATIENCE = 120  # seconds, on a busy machine
NAME = "the-node"
STAND_IN = Path(__file__).resolve().parents[3] / "etc" / "neutron" / "haproxy"
_RUN = "/run/openvswitch"  # of the machine
# What a lease has in it, as udhcpc's script is told; it is also what makes it count.
_LEASE = """\
#!/bin/sh
set -eu
[ "$1" = bound ] || exit 0
ip address add "$ip/$mask" dev "$interface"
[ -n "${staticroutes:-}" ] || staticroutes=${router:+0.0.0.0/0 $router}
echo "$staticroutes" >"$LEASE"
set -- $staticroutes
while [ $# -gt 1 ]; do
    if [ "$2" = 0.0.0.0 ]; then ip route add "$1" dev "$interface"
    else ip route add "$1" via "$2"; fi
    shift 2
done
"""


class Answer(NamedTuple):
    """What curl got."""

    status: int
    body: bytes


class Guest:
    """A network namespace with one interface, eth0, which is the end of a Neutron port."""

    def __init__(self, host: OwnHost, port: Mapping[str, Any], home: Path) -> None:
        self.port = port
        self.uuid = port["device_id"]
        self._host = host
        self._name = f"guest-{port['id'][:8]}"
        self._lease = home / f"{self._name}.lease"
        self._script = home / "lease"

    def command(self, *words: str | Path) -> list[str]:
        """This command, to be run in the guest."""
        return self._host.command(*words, within=self._name)

    def run(self, *words: str) -> str:
        """Run it; its output."""
        return self._host.run(*words, within=self._name)

    def appear(self, device: str) -> None:
        """Take the device, name it eth0, begin with IPv6: duplicates are not looked for."""
        self._host.run("ip", "netns", "add", self._name)
        self._host.run("ip", "link", "set", device, "netns", self._name)
        self.run("ip", "link", "set", "lo", "up")
        self.run("ip", "link", "set", device, "name", "eth0", "address", self.port["mac_address"])
        # Without it the kernel takes no routes from router advertisements (RFC 4191); what
        # manages networks in guests takes them itself.
        for key, value in (
            ("accept_dad", 0),
            ("accept_ra", 1),
            ("accept_ra_rt_info_max_plen", 128),
        ):
            self.run("sysctl", "-qw", f"net.ipv6.conf.eth0.{key}={value}")
        self.run("ip", "link", "set", "eth0", "up")

    def lease(self) -> str:
        """Have udhcpc get one, address and routes; the classless static routes in it (RFC 3442)."""
        self._script.write_text(_LEASE)
        self._script.chmod(0o755)
        asking = [
            "-i",
            "eth0",
            "-n",
            "-q",
            "-f",
            "-t",
            str(PATIENCE),
            "-T",
            "1",
            "-O",
            "staticroutes",
        ]
        words = ["env", f"LEASE={self._lease}", "busybox", "udhcpc", *asking, "-s", self._script]
        need("busybox")
        self.run(*map(str, words))
        return self._lease.read_text().strip()

    def addresses(self) -> list[str]:
        """Of eth0."""
        shown = json.loads(self.run("ip", "-json", "address", "show", "dev", "eth0"))
        return [each["local"] for each in shown[0]["addr_info"]]

    def ask(self, path: str, at: str = "169.254.169.254") -> Answer:
        """One question to the metadata address; status 0 if nobody answers."""
        curl = [need("curl"), "-gsS", "-m", "20", "-w", "\n%{http_code}", f"http://{at}{path}"]
        done = subprocess.run(self.command(*curl), capture_output=True, check=False)
        body, _, status = done.stdout.rpartition(b"\n")
        return Answer(int(status or 0), body)

    def learns(self, at: str = "169.254.169.254") -> str:
        """The uuid in its metadata; empty as long as there is none."""
        answer = self.ask("/openstack/latest/meta_data.json", at)
        uuid: str = json.loads(answer.body)["uuid"] if answer.status == 200 else ""
        return uuid


class Node:
    """The host.

    Args:
        host: running.
        environment: the lab, with the agents in it.
        home: for everything it writes, open to every user.
    """

    def __init__(self, host: OwnHost, environment: Path, home: Path) -> None:
        self.host = host
        self.home = home
        self._environment = environment
        self._agents: dict[str, subprocess.Popen[bytes]] = {}

    def start_switch(self, **external_ids: str) -> None:
        """Open vSwitch with an integration bridge; `external_ids` are ovn-controller's."""
        database = self.home / "switch.db"
        schema = "/usr/share/openvswitch/vswitch.ovsschema"
        self.host.run(need("ovsdb-tool"), "create", database, schema)
        for program, *more in (
            (need("ovsdb-server"), database, f"--remote=punix:{_RUN}/db.sock"),
            (need("ovs-vswitchd"), f"unix:{_RUN}/db.sock"),
        ):
            name = Path(program).name
            places = (f"--pidfile={_RUN}/{name}.pid", f"--unixctl={_RUN}/{name}.ctl")
            log = f"--log-file={self.home}/{name}.log"
            self.host.run(program, *more, *places, log, "--no-chdir", "--detach")
        self.vsctl("--no-wait", "init")
        ids = [
            f"external_ids:{key.replace('_', '-')}={value}" for key, value in external_ids.items()
        ]
        if ids:
            self.vsctl("set", "Open_vSwitch", ".", *ids)
        bridge = ("--", "set", "Bridge", "br-int", "datapath_type=netdev", "fail_mode=secure")
        self.vsctl("--may-exist", "add-br", "br-int", *bridge)

    def start_controller(self) -> None:
        """ovn-controller, as the switch's `external_ids` say."""
        log = f"--log-file={self.home}/ovn-controller.log"
        self.host.run(need("ovn-controller"), f"unix:{_RUN}/db.sock", log, "--no-chdir", "--detach")

    def vsctl(self, *words: str) -> str:
        """What an operator, or Nova, tells the switch; its answer."""
        return self.host.run("ovs-vsctl", "--timeout=60", *words)

    def write(self, name: str, text: str) -> Path:
        """A configuration file."""
        path = self.home / name
        path.write_text(textwrap.dedent(text))
        return path

    def start(self, agent: str, *files: Path) -> None:
        """Start a program of the lab, such as neutron-dhcp-agent, with these files."""
        environ = {"PATH": f"{self._environment / 'bin'}:{os.environ['PATH']}", "LC_ALL": "C.UTF-8"}
        options = [f"--config-file={file}" for file in files]
        log = self.home / f"{agent}.log"
        self._agents[agent] = self.host.start(agent, *options, log=log, environ=environ)

    def end(self, agent: str) -> None:
        """Kill an agent, and what it has started to help it: nothing is tidied up."""
        self.kill(self._agents.pop(agent))

    def kill(self, process: "subprocess.Popen[bytes]") -> None:
        """Kill a program that :meth:`OwnHost.start` started."""
        self.host.kill(process)

    def logs(self) -> str:
        """How the switch is wired, and what each program complained of, or said last."""
        told = [self.vsctl("show")]
        for log in sorted(self.home.glob("*.log")):
            lines = log.read_text().splitlines()
            bad = [line for line in lines if " WARN" in line or " ERROR " in line]
            shown = [line for line in bad if "privsep" not in line][-30:] or lines[-5:]
            told += [f"== {log.name}", *(line[:400] for line in shown)]
        return "\n".join(told)

    def processes(self) -> list[str]:
        """The command lines of all that runs on the host."""
        return self.host.run("ps", "-ewwo", "args=").splitlines()

    def plug(self, port: Mapping[str, Any]) -> Guest:
        """A guest at the port, plugged in as Nova plugs one."""
        device = f"tap{port['id'][:11]}"
        ids = {"iface-id": port["id"], "attached-mac": f'"{port["mac_address"]}"'}
        ids |= {"iface-status": "active", "vm-uuid": port["device_id"]}
        settings = [f"external_ids:{key}={value}" for key, value in ids.items()]
        self.vsctl(
            *("add-port", "br-int", device),
            *("--", "set", "Interface", device, "type=internal", *settings),
        )
        guest = Guest(self.host, port, self.home)
        guest.appear(device)
        return guest

    def unplug(self, guest: Guest) -> None:
        """Take it away, as Nova does."""
        self.vsctl("del-port", f"tap{guest.port['id'][:11]}")


@contextmanager
def node(environment: Path, home: Path) -> Iterator[Node]:
    """A host with the stand-in in haproxy's place, until the end of the block."""
    home.chmod(0o755)
    with OwnHost(home) as host:
        host.replace("haproxy", STAND_IN)
        yield Node(host, environment, home)


def listeners(host: OwnHost, namespace: str) -> list[str]:
    """Where somebody listens for TCP in that namespace."""
    lines = host.run("ss", "-Hltn", within=namespace).splitlines()
    return sorted(line.split()[3] for line in lines)


def comes(promise: Callable[[], bool]) -> bool:
    """Whether it comes true with a busy machine's patience."""
    return eventually(promise, PATIENCE)
