"""Networks in real namespaces, as Neutron's agents leave them, and guests who ask from inside.

A network is two namespaces and the cable between them: Neutron's, with the metadata address, and
its guests'. The guests of a network share theirs, each with an address of its own.
"""

import os
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

from bench.relay_cloud import Guest
from firstlight.relay.broker.kernel import enter_network
from support.relay.namespaces import METADATA, METADATA_IPV6, Namespace, Networks

NOBODYS = "10.0.255.253"
_SERVICE = "10.0.255.254"
_PATIENCE = 60.0  # seconds; who waits longer for an answer has got none

Connect = Callable[[], socket.socket]


class Town:
    """Networks in a directory of namespaces, gone with the block."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir()
        self.directory = directory
        self.networks: list[str] = []  # those that are there
        self._made = Networks(directory)
        self._held = ExitStack()
        self._here = self._opened(Path("/proc/thread-self/ns/net"))
        self._open: dict[Path, int] = {}

    def __enter__(self) -> "Town":
        return self

    def __exit__(self, *exc: object) -> None:
        self._held.close()
        self._made.remove()

    def network(self, number: str, addresses: Sequence[str] = ()) -> None:
        """A network with guests at these addresses, and one at :data:`NOBODYS`."""
        service = self._made.namespace(f"qdhcp-{number}")
        guests = self._made.namespace(f"{service.path.name}g")
        service.run(
            f"""
            ip -batch - <<END
            link set lo up
            link add tap0 type veth peer name eth0 netns {guests.path}
            addr add {_SERVICE}/16 dev tap0
            addr add {METADATA}/32 dev tap0
            link set tap0 up
            addr add {METADATA_IPV6}/128 dev tap0 nodad
END
            """
        )
        ours = "\n".join(f"addr add {each}/16 dev eth0" for each in (*addresses, NOBODYS))
        guests.run(
            f"""
            ip -batch - <<END
            link set lo up
            link set eth0 up
            {ours}
            route add {METADATA}/32 via {_SERVICE}
END
            """
        )
        self.networks.append(number)

    def service(self, number: str) -> Namespace:
        """Neutron's namespace of a network."""
        return Namespace(self.directory, f"qdhcp-{number}")

    def connect(self, guest: Guest) -> Connect:
        """How this guest connects to the metadata address."""
        namespace = self.directory / f"qdhcp-{guest.network}g"
        return partial(self._connected, namespace, guest.address)

    def _connected(self, namespace: Path, address: str) -> socket.socket:
        with self._inside(namespace):
            opened = socket.socket()
        opened.settimeout(_PATIENCE)
        opened.bind((address, 0))
        opened.connect((METADATA, 80))
        return opened

    @contextmanager
    def _inside(self, namespace: Path) -> Iterator[None]:
        if namespace not in self._open:
            self._open[namespace] = self._opened(namespace)
        enter_network(self._open[namespace])
        try:
            yield
        finally:
            enter_network(self._here)

    def _opened(self, namespace: Path) -> int:
        descriptor = os.open(namespace, os.O_RDONLY | os.O_CLOEXEC)
        self._held.callback(os.close, descriptor)
        return descriptor
