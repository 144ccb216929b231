"""Ports by network and by address or MAC, for those who hear of every change."""

from collections.abc import Hashable, Iterable, Sequence

from firstlight.relay.contract import Guest, Nobody, Resolution, Via
from firstlight.relay.resolvers.ports import Port, key_of, keys_of, one_of


class Index:
    """Ports by what their guests are found by. Its owner sees to it that one thread is in it.

    Each port is kept for a source, which is whatever the owner knows it by: a row, an instance.
    """

    def __init__(self) -> None:
        self._of: dict[Hashable, tuple[Port, ...]] = {}
        self._at: dict[tuple[str, str], dict[str, Port]] = {}  # (network, key) → by port id

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
        return one_of(self._ports((guest.place.id, key)))

    def _ports(self, place: tuple[str, str]) -> Sequence[Port]:
        return tuple(self._at.get(place, {}).values())

    def _take(self, place: tuple[str, str], port: Port) -> None:
        here = self._at.get(place, {})
        here.pop(port.id, None)
        if not here:
            self._at.pop(place, None)


def _places(port: Port) -> Sequence[tuple[str, str]]:
    return [(port.network_id, key) for key in keys_of(port)]
