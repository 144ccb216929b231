"""Making and taking away one namespace, with the programs that an operator would use.

Each step looks first whether it is done, so that all can be repeated; what is already gone is
deleted without complaint.
"""

import json
import subprocess
from collections.abc import Iterable
from pathlib import Path

from firstlight.relay.namespaces import place_of
from firstlight.relay.ovn.desired_state import DesiredNamespace

NAMESPACES = Path("/run/netns")  # ip-netns(8) has no other
PREFIX = "ovnmeta-"
DEADLINE = 30  # seconds for one program


class CommandFailed(Exception):
    """A program failed; the message has its words."""


class OvnHost:
    """Namespaces and the switch of this host.

    Args:
        switch: the local Open vSwitch database, as ovs-vsctl(8) takes it.

    Raises:
        CommandFailed: the switch cannot be asked, or has no ``external_ids:system-id``.
    """

    def __init__(self, switch: str) -> None:
        self._switch = switch
        self.chassis = self._external_id("system-id")
        if not self.chassis:
            raise CommandFailed(
                "Open vSwitch has no external_ids:system-id: ovn-controller needs one, too"
            )
        self._bridge = self._external_id("ovn-bridge") or "br-int"

    def present(self) -> set[str]:
        """The networks that have a namespace."""
        if not NAMESPACES.exists():
            return set()
        names = [entry.name for entry in NAMESPACES.iterdir()]
        return {place.id for name in names if (place := place_of(name, ("ovnmeta",)))}

    def make(self, namespace: DesiredNamespace) -> None:
        """Have it as it is wanted.

        Raises:
            CommandFailed: it is not; what was done stays, and another try begins with it.
        """
        name = PREFIX + namespace.network_id
        outer, inner = _cable(namespace.network_id)
        if namespace.network_id not in self.present():
            _run("ip", "netns", "add", name)
        _run("ip", "-n", name, "link", "set", "lo", "up")
        if not _succeeds("ip", "-n", name, "link", "show", inner):
            _succeeds("ip", "link", "delete", outer)  # whose other end has gone
            _run(*f"ip link add {outer} type veth peer name {inner} netns {name}".split())
        mtu = ("mtu", str(namespace.mtu)) if namespace.mtu else ()
        _run("ip", "link", "set", outer, *mtu, "up")
        _run("ip", "-n", name, "link", "set", inner, "address", namespace.mac, *mtu, "up")
        self._address(name, inner, namespace.addresses)
        self._plug(outer, namespace.logical_port)
        self._fill_checksums(name)

    def remove(self, network_id: str) -> None:
        """Have it no more; what is already gone does not matter.

        Raises:
            CommandFailed: the switch or the kernel refuses.
        """
        outer, _inner = _cable(network_id)
        self._vsctl("--if-exists", "del-port", outer)
        _succeeds("ip", "link", "delete", outer)
        if network_id in self.present():
            _run("ip", "netns", "delete", PREFIX + network_id)

    def _address(self, name: str, device: str, wanted: Iterable[str]) -> None:
        has = _addresses(name, device)
        for address in set(wanted) - has:
            nodad = ("nodad",) if ":" in address else ()  # each chassis has the same ones
            _run("ip", "-n", name, "address", "add", address, "dev", device, *nodad)
        for address in has - set(wanted):
            if not address.startswith("fe80:"):  # the kernel's own
                _run("ip", "-n", name, "address", "delete", address, "dev", device)

    def _plug(self, device: str, logical_port: str) -> None:
        ours = ("--", "set", "Interface", device, f"external_ids:iface-id={logical_port}")
        self._vsctl("--may-exist", "add-port", self._bridge, device, *ours)

    def _fill_checksums(self, name: str) -> None:
        """A switch in userspace passes on what comes from a veth without them (LP 1904871)."""
        if self._vsctl("get", "Bridge", self._bridge, "datapath_type") != "netdev":
            return
        rule = ("POSTROUTING", "-p", "tcp", "-j", "CHECKSUM", "--checksum-fill")
        for tables in ("iptables", "ip6tables"):
            inside = ("ip", "netns", "exec", name, tables, "-t", "mangle")
            if not _succeeds(*inside, "-C", *rule):
                _run(*inside, "-A", *rule)

    def _external_id(self, key: str) -> str:
        return self._vsctl("--if-exists", "get", "Open_vSwitch", ".", f"external_ids:{key}")

    def _vsctl(self, *words: str) -> str:
        options = (f"--db={self._switch}", f"--timeout={DEADLINE}")
        return _run("ovs-vsctl", *options, *words).strip().strip('"')


def _cable(network_id: str) -> tuple[str, str]:
    """The names of both ends; Neutron's."""
    return f"tap{network_id[:10]}0", f"tap{network_id[:10]}1"


def _addresses(name: str, device: str) -> set[str]:
    shown = json.loads(_run("ip", "-json", "-n", name, "address", "show", "dev", device))
    return {f"{one['local']}/{one['prefixlen']}" for one in shown[0]["addr_info"]}


def _succeeds(*words: str) -> bool:
    try:
        _run(*words)
    except CommandFailed:
        return False
    return True


def _run(*words: str) -> str:
    try:
        done = subprocess.run(  # noqa: S603  (words of ours, a UUID and checked addresses)
            words, capture_output=True, text=True, timeout=DEADLINE, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise CommandFailed(f"{' '.join(words)}: {error}") from error
    if done.returncode != 0:
        raise CommandFailed(f"{' '.join(words)}: {done.stderr.strip()}")
    return done.stdout
