"""Ports by network and by address or MAC, for those who hear of every change."""

from collections.abc import Hashable, Iterable, Sequence

from firstlight.relay.contract import Guest, Nobody, Resolution, Via
from firstlight.relay.resolvers.ports import (
    Port,
    key_of,
    keys_of,
    one_of,
    server_of,
    with_other_macs,
)

# A network, and what is looked up there: an address or MAC of a port, or the server of ports.
_Where = tuple[str, Hashable]


class Index:
    """Ports by what their guests are found by. Its owner sees to it that one thread is in it.

    Each port is kept for a source, which is whatever the owner knows it by: a row, an instance.
    """

    def __init__(self) -> None:
        self._of: dict[Hashable, tuple[Port, ...]] = {}
        self._at: dict[_Where, dict[str, Port]] = {}  # by port id

    def __len__(self) -> int:
        return len(self._of)

    def put(self, source: Hashable, ports: Iterable[Port]) -> None:
        """These, and no others, are the ports of `source` now."""
        self.drop(source)
        kept = tuple(ports)
        if kept:
            self._of[source] = kept
        for port in kept:
            for place in _places(port):
                self._at.setdefault(place, {})[port.id] = port

    def drop(self, source: Hashable) -> None:
        """`source` has no ports any more."""
        for port in self._of.pop(source, ()):
            for place in _places(port):
                self._take(place, port)

    def clear(self) -> None:
        """Nobody has any."""
        self._of.clear()
        self._at.clear()

    def resolve(self, guest: Guest) -> Resolution:
        """Whose port it is. Nothing is known here of routers, so nobody is behind one."""
        key = key_of(guest)
        if key is None or guest.place.via is Via.ROUTER:
            return Nobody()
        network = guest.place.id
        found = one_of(self._ports((network, key)))
        return with_other_macs(found, self._ports((network, server_of(found))))

    def _ports(self, place: _Where) -> Sequence[Port]:
        return tuple(self._at.get(place, {}).values())

    def _take(self, place: _Where, port: Port) -> None:
        here = self._at.get(place, {})
        here.pop(port.id, None)
        if not here:
            self._at.pop(place, None)


def _places(port: Port) -> Sequence[_Where]:
    server = (port.device_id, port.project_id)
    return [(port.network_id, key) for key in (*keys_of(port), server)]
