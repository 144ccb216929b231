"""How a server becomes a partition, and ceases to be one: the plan, step by step."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import zhmcclient

from firstlight_dpm import names
from firstlight_dpm.cards import Card, cards
from firstlight_dpm.compute import boot, connector, partitions
from firstlight_dpm.compute.config_drives import Drive, Writer
from firstlight_dpm.compute.partitions import Partitions
from firstlight_dpm.compute.ports.nics import Nics
from firstlight_dpm.compute.ports.vifs import Vif, vifs_of
from firstlight_dpm.compute.spawn.plan import Step
from firstlight_dpm.compute.storage import Storage
from firstlight_dpm.errors import Gone

_DRIVE = "-config-2"


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
    #: Makes the image of the config drive, told of the NICs; None: the server has no drive.
    image: Callable[[Sequence[Card]], AbstractContextManager[Path]] | None = None


@dataclass(frozen=True)
class SpawnPlan:
    """Makes and removes the partitions of one host; `address` is its node's."""

    partitions: Partitions
    storage: Storage
    nics: Nics
    address: str
    #: Target WWPNs that nothing boots from.
    ignored: Sequence[str] = ()
    #: None: this host makes no config drives.
    writer: Writer | None = None

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
                lambda: self.storage.prepare(self._there(order.uuid)),
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
            *self._drive(uuid, start),
        ]
        if start.power_on:
            steps.append(Step("its start", lambda: self._start(uuid), lambda: self._stop(uuid)))
        return steps

    def removal(self, uuid: str, *, drive: bool) -> list[Step]:
        """The way back: nothing of the server is left on the HMC, whatever there was of it.

        `drive`: it may have a config drive, for which Cinder must be asked.
        """
        drives = [Step("taking its config drive away", lambda: self._remove_drive(uuid))]
        return [
            Step("stopping the partition", lambda: self._stop(uuid)),
            *(drives if drive else ()),
            Step("taking its storage ports away", lambda: self._release(uuid)),
            Step("deleting the partition", lambda: self._delete(uuid)),
        ]

    def connector(self, uuid: str) -> dict[str, Any]:
        """What Cinder maps an instance's volumes to; raises Gone without a partition."""
        initiators = self.storage.initiators(self._there(uuid))
        return connector.connector(uuid, initiators, self.address)

    def drives_alone(self) -> list[str]:
        """The instances of this host that have a config drive, and no partition to read it."""
        if self.writer is None:
            return []
        there = self.partitions.all()
        named = (
            names.instance_of(self.partitions.host, name.removesuffix(_DRIVE))
            for name in self.writer.names()
            if name.endswith(_DRIVE)
        )
        return [uuid for uuid in named if uuid and uuid not in there]

    def _there(self, uuid: str) -> zhmcclient.Partition:
        """The partition. That it has gone is an error: Nova takes InstanceNotFound for a server
        whose owner has deleted it, and would say nothing more of it."""
        partition = self.partitions.find(uuid)
        if partition is None:
            name = self.partitions.name(uuid)
            raise Gone(f"looking for partition {name}", "somebody else has deleted it")
        return partition

    def _boot_from(self, uuid: str, start: Start) -> None:
        volume = boot.volume(start.block_device_info)
        partition = self._there(uuid)
        initiators = self.storage.initiators(partition)
        self.storage.boot_from(partition, boot.paths(volume, initiators, self.ignored)[0])

    def _plug(self, uuid: str, start: Start) -> None:
        vifs = vifs_of(start.network_info)
        partition = self._there(uuid)
        self.nics.check(partition, vifs)
        with start.plugged(vifs):
            for vif in vifs:
                self.nics.plug(partition, vif)

    def _drive(self, uuid: str, start: Start) -> list[Step]:
        make, writer = start.image, self.writer
        if make is None or writer is None:
            return []

        def write() -> None:
            partition = self._there(uuid)
            vifs = vifs_of(start.network_info)
            networks = {vif.port: vif.network for vif in vifs if vif.network}
            with make(cards(self.partitions.hmc, partition, networks)) as image:
                writer.write(Drive(self._drive_name(uuid), uuid, image, self.connector(uuid)))

        return [Step("its config drive", write, lambda: self._remove_drive(uuid))]

    def _remove_drive(self, uuid: str) -> None:
        if self.writer:
            self.writer.remove(self._drive_name(uuid))

    def _drive_name(self, uuid: str) -> str:
        return self.partitions.name(uuid) + _DRIVE

    def _start(self, uuid: str) -> None:
        partitions.start(self._there(uuid))

    def _stop(self, uuid: str) -> None:
        with suppress(Gone):  # somebody else has deleted it
            if partition := self.partitions.find(uuid):
                partitions.stop(partition)

    def _release(self, uuid: str) -> None:
        self.storage.release(self.partitions.name(uuid), self.partitions.find(uuid))

    def _delete(self, uuid: str) -> None:
        if partition := self.partitions.find(uuid):
            partitions.delete(partition)
