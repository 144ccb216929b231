"""Networks in real namespaces, as Neutron's agents leave them, in a directory of the test's own.

The recipe is that of a host with Neutron and without Open vSwitch: a namespace of the agent's, one
of the guest's, and a veth pair between them.
"""

import subprocess
from contextlib import suppress
from pathlib import Path

from support.parts import need

METADATA = "169.254.169.254"
METADATA_IPV6 = "fe80::a9fe:a9fe"
MAC = "fa:16:3e:12:34:56"
LINK_LOCAL = "fe80::f816:3eff:fe12:3456"


class Namespace:
    """A network namespace with its name in `directory`."""

    def __init__(self, directory: Path, name: str) -> None:
        self.path = directory / name

    def make(self) -> "Namespace":
        """As ``ip netns add``: first the file, then the namespace on it."""
        self.path.touch()
        subprocess.run([need("unshare"), f"--net={self.path}", "true"], check=True)
        return self

    def remove(self) -> None:
        """As ``ip netns del``."""
        subprocess.run(["umount", "--lazy", self.path], check=False, capture_output=True)
        self.path.unlink(missing_ok=True)

    def run(self, script: str) -> None:
        """Run shell commands inside."""
        done = subprocess.run(self._inside("sh", "-ec", script), capture_output=True, text=True)
        assert done.returncode == 0, done.stderr

    def popen(self, *command: str, **options) -> subprocess.Popen:
        """Start a program inside."""
        return subprocess.Popen(self._inside(*command), **options)

    def curl(self, *arguments: str, seconds: int = 10) -> subprocess.CompletedProcess:
        """Run curl inside."""
        command = self._inside(
            need("curl"), "--silent", "--globoff", "--max-time", str(seconds), *arguments
        )
        return subprocess.run(command, capture_output=True)

    def ask(self, host: str = METADATA, *arguments: str) -> str:
        """What a guest here is told at that host."""
        return self.curl(*arguments, f"http://{host}/openstack").stdout.decode()

    def _inside(self, *command: str) -> list[str]:
        return [need("nsenter"), f"--net={self.path}", *command]


class Networks:
    """Makes namespaces in `directory`, and takes all of them away."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._made: list[Namespace] = []

    def namespace(self, name: str) -> Namespace:
        """A new one."""
        made = Namespace(self.directory, name).make()
        self._made.append(made)
        return made

    def isolated(self, name: str, *, address: str = "192.0.2.10", ipv6: bool = True) -> Namespace:
        """A namespace of the DHCP or OVN agent's; returns its guest's, which is its name + g."""
        serving, guest = self.namespace(name), self.namespace(f"{name}g")
        serving.run(
            f"""
            ip link add tap0 type veth peer name eth0 netns {guest.path}
            ip addr add 192.0.2.2/24 dev tap0
            ip addr add {METADATA}/32 dev tap0
            ip link set tap0 up
            """
        )
        self._bring_up(guest, address, 24)
        guest.run(f"ip route add {METADATA}/32 via 192.0.2.2")
        if ipv6:
            serving.run(f"ip addr add {METADATA_IPV6}/128 dev tap0 nodad")
        return guest

    def routed(self, name: str, *, address: str = "198.51.100.10") -> Namespace:
        """A namespace of the L3 agent's with its rules; returns its guest's."""
        router, guest = self.namespace(name), self.namespace(f"{name}g")
        router.run(
            f"""
            ip link set lo up
            ip link add qr-int0 type veth peer name eth0 netns {guest.path}
            ip addr add 198.51.100.1/24 dev qr-int0
            ip addr add fe80::1/64 dev qr-int0 nodad
            ip link set qr-int0 up
            sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
            """
        )
        for program, host in (("iptables", METADATA), ("ip6tables", METADATA_IPV6)):
            router.run(_redirected(need(program), host))
        self._bring_up(guest, address, 24)
        guest.run("ip route add default via 198.51.100.1")
        guest.run(f"ip -6 route add {METADATA_IPV6}/128 via fe80::1 dev eth0")
        return guest

    def _bring_up(self, guest: Namespace, address: str, length: int) -> None:
        guest.run(
            f"""
            sysctl -qw net.ipv6.conf.eth0.accept_dad=0
            ip link set lo up
            ip link set eth0 address {MAC}
            ip link set eth0 up
            ip addr add {address}/{length} dev eth0
            """
        )

    def remove(self) -> None:
        """All of them."""
        for each in self._made:
            with suppress(OSError):
                each.remove()


def _redirected(tables: str, host: str) -> str:
    to_metadata = f"-i qr-+ -d {host} -p tcp --dport 80"
    return f"""
        {tables} -t mangle -A PREROUTING {to_metadata} -j MARK --set-xmark 0x1/0xffff
        {tables} -t nat -A PREROUTING {to_metadata} -j REDIRECT --to-ports 9697
        {tables} -A INPUT -m mark --mark 0x1/0xffff -j ACCEPT
        {tables} -A INPUT -p tcp --dport 9697 -j DROP
        """
