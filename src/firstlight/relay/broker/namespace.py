"""The broker in one namespace: what it listens on there, and what keeps it from that."""

import errno
import os
import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from firstlight.relay.broker import netns
from firstlight.relay.broker.kernel import network_of
from firstlight.relay.contract import Via
from firstlight.relay.namespaces import (
    KINDS,
    METADATA_IPV4,
    METADATA_IPV6,
    METADATA_PORT,
    ListenAddress,
    kind_of,
)

_Wanted = tuple[str, int, int]  # host, port, device

_REASONS = {
    errno.EADDRINUSE: "another program listens there: haproxy of Neutron's agent?",
    errno.EINVAL: "the file is no network namespace; delete it if nothing mounts one there",
    errno.EPERM: "the broker may not enter it: it needs CAP_SYS_ADMIN",
    errno.EACCES: "the broker may not: it needs CAP_NET_BIND_SERVICE, and to read the file",
}


class NamespaceListeners:
    """Listens wherever guests can ask in one namespace.

    Attributes:
        bell: readable when an address there changed; None: it was not entered so far.
        neighbours: to be asked for the neighbours there.
        held: the listening sockets.
    """

    def __init__(self, namespace: Path, router_port: int) -> None:
        self.name = namespace.name
        self.bell: socket.socket | None = None
        self.neighbours: socket.socket | None = None
        self.held: dict[ListenAddress, socket.socket] = {}
        self.network = 0
        self._path = namespace
        self._router_port = router_port

    def tend(self) -> str | None:
        """Open what can be opened, close what lost its address; returns what is wrong."""
        try:
            with netns.inside(self._path):
                self._settle()
                return self._listen()
        except OSError as error:
            return _explained(str(self._path), error)

    def adopt(self, spot: ListenAddress, opened: socket.socket) -> bool:
        """Hold a socket that was opened before this process was, if it is what it should be."""
        try:
            genuine = (
                self.bell is not None
                and spot.network == network_of(opened) == self.network
                and _listens_at(opened, spot)
            )
        except OSError:
            genuine = False
        if genuine:
            self.held[spot] = opened
        return genuine

    def close(self) -> None:
        """Let go of everything, so that the namespace can end."""
        for opened in (*self.held.values(), self.bell, self.neighbours):
            if opened is not None:
                opened.close()
        self.held.clear()
        self.bell = self.neighbours = None

    def quieten(self) -> None:
        """Read what the bell has to say, of which only the fact counts."""
        assert self.bell is not None
        # ENOBUFS: so much happened that not all is told.
        with suppress(OSError):
            while self.bell.recv(65536):
                pass

    def _settle(self) -> None:
        """Be told of changes before looking, so that none falls between the two."""
        network = netns.this_network()
        if self.bell is not None and network != self.network:
            self.close()  # another namespace of the same name
        if self.bell is None:
            self.network = network
            self.neighbours = netns.neighbours()
            self.bell = netns.bell()

    def _listen(self) -> str | None:
        wanted = {ListenAddress(self.name, self.network, *each): each for each in self._wanted()}
        for spot in self.held.keys() - wanted.keys():
            self.held.pop(spot).close()
        trouble = None
        for spot, (host, port, device) in wanted.items():
            if spot not in self.held:
                try:
                    self.held[spot] = netns.listening(host, port, device)
                except OSError as error:
                    trouble = _explained(str(spot), error)
        return trouble

    def _wanted(self) -> Iterator[_Wanted]:
        if KINDS[kind_of(self.name)] is Via.ROUTER:
            # The router redirects what guests send to the metadata address.
            yield "::", self._router_port, 0
            return
        if netns.has_metadata_ipv4():
            yield METADATA_IPV4, METADATA_PORT, 0
        for device in netns.devices_with_metadata_ipv6():
            yield METADATA_IPV6, METADATA_PORT, device


def _listens_at(opened: socket.socket, spot: ListenAddress) -> bool:
    host, port, *rest = opened.getsockname()
    device = rest[1] if rest else 0
    same = (host.partition("%")[0], port, device) == (spot.host, spot.port, spot.device)
    without_ipv6 = spot.host == "::" and (host, port) == ("0.0.0.0", spot.port)  # noqa: S104  compared, not listened on
    listens = opened.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
    return bool(listens) and (same or without_ipv6)


def _explained(where: str, error: OSError) -> str:
    number = error.errno or 0
    reason = _REASONS.get(number)
    said = f"{where}: {os.strerror(number)}"
    return f"{said}; {reason}" if reason else said
