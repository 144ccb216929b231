"""Ports of the embedded store's instances, for a cloud without Neutron."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from threading import Lock

from firstlight.instance import Instance
from firstlight.relay.contract import Found, Guest, Resolution, Unavailable
from firstlight.relay.resolvers.index import Index
from firstlight.relay.resolvers.ports import Port
from firstlight.sources import SourceUnavailable
from firstlight.sources.store import Store

NAME = "store"


class StoreResolver:
    """A :class:`~firstlight.relay.contract.Resolver`: an index that is read anew where it changed.

    The store tells of a change within 100 ms of it. The store knows of no routers: what asks
    behind one is nobody.

    Args:
        store: closed with this.
    """

    name = NAME

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = Lock()  # of the index and of what is read into it
        self._index = Index()
        # Instances to read; None: all of them. The watcher appends, and must not wait.
        self._changed: deque[str | None] = deque([None])
        self._stop: Callable[[], None] = store.watch(self._changed.append)

    def resolve(self, guests: Sequence[Guest], *, fresh: bool = False) -> Sequence[Resolution]:
        """One resolution for each guest, in their order.

        `fresh` reads the instances that have the address, and the one that had it.
        """
        with self._lock:
            try:
                self._refresh()
                if fresh:
                    self._look_again(guests)
            except SourceUnavailable as error:
                return [Unavailable(str(error))] * len(guests)
            return [self._index.resolve(guest) for guest in guests]

    def trouble(self) -> str | None:
        """Why the database did not answer when it was last asked; None: it did."""
        return self._store.healthy()

    def close(self) -> None:
        """Close the store."""
        self._stop()
        self._store.close()

    def _refresh(self) -> None:
        """Read what changed; what cannot be read stays changed."""
        changed = {self._changed.popleft() for _ in range(len(self._changed))}
        try:
            if None in changed:
                self._read_all()
            else:
                for uuid in changed:
                    self._read(str(uuid))
        except SourceUnavailable:
            self._changed.extend(changed)
            raise

    def _look_again(self, guests: Sequence[Guest]) -> None:
        for guest in guests:
            known = self._index.resolve(guest)
            if isinstance(known, Found):
                self._read(known.instance_id)
            for instance in self._store.at_address(str(guest.address)):
                self._index.put(instance.uuid, _ports(instance))

    def _read_all(self) -> None:
        instances = self._store.list()
        self._index.clear()
        for instance in instances:
            self._index.put(instance.uuid, _ports(instance))

    def _read(self, uuid: str) -> None:
        instance = self._store.instance(uuid)
        self._index.put(uuid, () if instance is None else _ports(instance))


def _ports(instance: Instance) -> Iterator[Port]:
    for interface in instance.interfaces:
        network = interface.network
        if network is not None:
            yield Port(
                id=interface.port_id,
                network_id=network.id,
                mac=interface.mac.lower(),
                addresses=tuple(
                    fixed.address for subnet in network.subnets for fixed in subnet.addresses
                ),
                device_id=instance.uuid,
                device_owner="compute:",
                project_id=instance.project_id,
            )
