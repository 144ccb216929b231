"""Who has an address, as far as the store's instances say."""

from collections.abc import Sequence

from firstlight.instance import Instance
from firstlight.sources.ports import Device
from firstlight.sources.store.store import Store


class StorePorts:
    """A store as :class:`~firstlight.sources.ports.Ports`: one entry for each instance."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def device_at_address(self, address: str) -> Sequence[Device]:
        """Instances with this fixed address on any network."""
        return _devices(self._store.at_address(address))

    def device_at_provider(self, provider: str, address: str) -> Sequence[Device] | None:
        """Those on a network that `provider` serves; None: it serves none."""
        found = self._store.at_provider(provider, address)
        return None if found is None else _devices(found)


def _devices(instances: Sequence[Instance]) -> Sequence[Device]:
    return [Device(instance.uuid, instance.project_id) for instance in instances]
