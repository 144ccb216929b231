"""How a server becomes a partition, and ceases to be one: the plan, step by step."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, NamedTuple

from firstlight_dpm.compute import boot, partitions
from firstlight_dpm.compute.nics import Nics
from firstlight_dpm.compute.partitions import Partitions
from firstlight_dpm.compute.plan import Step
from firstlight_dpm.compute.storage import Storage
from firstlight_dpm.compute.vifs import Vif, vifs_of


class Order(NamedTuple):
    """What a partition is made from; the memory is in MiB."""

    uuid: str
    processors: int
    memory: int


class Start(NamedTuple):
    """What makes a prepared partition a server, as Nova says it."""

    block_device_info: Mapping[str, Any] | None
    network_info: Iterable[Mapping[str, Any]] | None
    #: Goes around the making of the NICs; leaving it waits until their ports are up.
    plugged: Callable[[Sequence[Vif]], AbstractContextManager[None]]
    power_on: bool = True


@dataclass(frozen=True)
class Spawning:
    """Makes and removes the partitions of one host."""

    partitions: Partitions
    storage: Storage
    nics: Nics
    #: Target WWPNs that nothing boots from.
    ignored: Sequence[str] = ()

    def preparation(self, order: Order) -> list[Step]:
        """What Cinder must find: a partition whose ports have WWPNs."""
        return [
            Step(
                "the partition",
                lambda: self.partitions.make(*order),
                lambda: self._delete(order.uuid),
            ),
            Step(
                "its storage ports",
                lambda: self.storage.prepare(self.partitions.get(order.uuid)),
                lambda: self._release(order.uuid),
            ),
        ]

    def plan(self, order: Order, start: Start) -> list[Step]:
        """All of it; what preparation has done already is left as it is."""
        uuid = order.uuid
        steps = [
            *self.preparation(order),
            Step("its boot volume", lambda: self._boot_from(uuid, start)),
            # They go with the partition, as its HBAs do.
            Step("its NICs", lambda: self._plug(uuid, start)),
        ]
        if start.power_on:
            steps.append(Step("its start", lambda: self._start(uuid), lambda: self._stop(uuid)))
        return steps

    def removal(self, uuid: str) -> list[Step]:
        """The way back: nothing of the server is left on the HMC, whatever there was of it."""
        return [
            Step("stopping the partition", lambda: self._stop(uuid)),
            Step("taking its storage ports away", lambda: self._release(uuid)),
            Step("deleting the partition", lambda: self._delete(uuid)),
        ]

    def initiators(self, uuid: str) -> list[str]:
        """The WWPNs of an instance's storage ports; raises InstanceNotFound."""
        return self.storage.initiators(self.partitions.get(uuid))

    def _boot_from(self, uuid: str, start: Start) -> None:
        volume = boot.volume(start.block_device_info)
        partition = self.partitions.get(uuid)
        initiators = self.storage.initiators(partition)
        self.storage.boot_from(partition, boot.paths(volume, initiators, self.ignored)[0])

    def _plug(self, uuid: str, start: Start) -> None:
        vifs = vifs_of(start.network_info)
        partition = self.partitions.get(uuid)
        self.nics.check(partition, vifs)
        with start.plugged(vifs):
            for vif in vifs:
                self.nics.plug(partition, vif)

    def _start(self, uuid: str) -> None:
        partitions.start(self.partitions.get(uuid))

    def _stop(self, uuid: str) -> None:
        if partition := self.partitions.find(uuid):
            partitions.stop(partition)

    def _release(self, uuid: str) -> None:
        self.storage.release(self.partitions.name(uuid), self.partitions.find(uuid))

    def _delete(self, uuid: str) -> None:
        if partition := self.partitions.find(uuid):
            partitions.delete(partition)
