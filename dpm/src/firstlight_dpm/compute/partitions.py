"""The partitions of this host on the machine: found, made, started, stopped, deleted.

Each operation may be repeated: what is so already is left alone, what is gone is no complaint. They
raise HmcErrors. A partition handed out belongs to the thread that asked.
"""

from dataclasses import dataclass

import zhmcclient
from nova import exception
from oslo_log import log as logging

from firstlight_dpm import names
from firstlight_dpm.compute import states
from firstlight_dpm.errors import Gone, WrongStatus, attempting
from firstlight_dpm.hmc import Hmc

LOG = logging.getLogger(__name__)

#: Statuses that a partition stays in, once it has left the passing ones.
_SETTLED = sorted(states.RUNNING | states.ENDED | {states.STOPPED})
_STARTED = sorted(states.RUNNING | states.ENDED)
_SOON = 1  # second


@dataclass(frozen=True)
class Partitions:
    """Those named ``OpenStack-<host>-<instance UUID>``."""

    hmc: Hmc
    host: str
    #: UUID of Nova's compute node: says in a partition's description which cloud made it.
    node: str

    def all(self) -> dict[str, zhmcclient.Partition]:
        """By the instance's UUID; each has its name, URI and status, fresh."""
        with attempting("listing the partitions of this host"):
            found = self._list(f"OpenStack-{self.host}-.*")
        own = ((names.instance_of(self.host, partition.name), partition) for partition in found)
        return {uuid: partition for uuid, partition in own if uuid}

    def name(self, uuid: str) -> str:
        """What an instance's partition is named."""
        return names.partition_name(self.host, uuid)

    def find(self, uuid: str) -> zhmcclient.Partition | None:
        """The partition of an instance with a fresh status, by one request; None without."""
        name = self.name(uuid)
        with attempting(f"looking for partition {name}"):
            # The HMC takes the name as a pattern, so what it finds is compared.
            found = [one for one in self._list(name) if one.name == name]
        return found[0] if found else None

    def get(self, uuid: str) -> zhmcclient.Partition:
        """The partition of an instance; raises Nova's InstanceNotFound."""
        partition = self.find(uuid)
        if partition is None:
            raise exception.InstanceNotFound(instance_id=uuid)
        return partition

    def make(self, uuid: str, processors: int, memory: int) -> zhmcclient.Partition:
        """The partition of an instance, made if it is not there; `memory` is in MiB."""
        partition = self.find(uuid)
        if partition is not None:
            return partition
        name = self.name(uuid)
        with attempting(f"making partition {name}"):
            return self.hmc.cpc().partitions.create(
                {
                    "name": name,
                    "description": names.partition_description(self.host, self.node),
                    "ifl-processors": processors,
                    "initial-memory": memory,
                    "maximum-memory": memory,
                }
            )

    def _list(self, pattern: str) -> list[zhmcclient.Partition]:
        return self.hmc.cpc().partitions.list(filter_args={"name": pattern})


def status(partition: zhmcclient.Partition) -> str:
    """The status on the HMC, in lower case, asked now."""
    with attempting(f"asking for the status of partition {partition.name}"):
        partition.pull_full_properties()
        return str(partition.get_property("status")).lower()


def start(partition: zhmcclient.Partition) -> None:
    """See that it runs; one that has ended is stopped first."""
    now = _settled(partition)
    if now in states.RUNNING:
        return
    if now in states.ENDED:
        _stop(partition)
    attempt = f"starting partition {partition.name}"
    with attempting(attempt):
        try:
            partition.start(status_timeout=_SOON)
        except zhmcclient.StatusTimeout:
            # zhmcclient waits for fewer statuses than there are to run in, or to end in.
            partition.wait_for_status(_STARTED)
    if status(partition) in states.ENDED:
        raise WrongStatus(attempt, "the guest has ended already; see its messages on the HMC")


def stop(partition: zhmcclient.Partition) -> None:
    """See that it is stopped; the guest is not asked, because DPM has no way to ask it."""
    if _settled(partition) != states.STOPPED:
        _stop(partition)


def restart(partition: zhmcclient.Partition) -> None:
    """Stop it, if it is not stopped, and start it."""
    stop(partition)
    start(partition)


def delete(partition: zhmcclient.Partition) -> None:
    """See that it is gone, with its NICs and HBAs; it must be stopped."""
    try:
        with attempting(f"deleting partition {partition.name}"):
            partition.delete()
    except Gone:
        LOG.info("partition %s was deleted by somebody else", partition.name)


def _settled(partition: zhmcclient.Partition) -> str:
    """Its status, once it has left a passing one."""
    now = status(partition)
    if now not in states.PASSING:
        return now
    with attempting(f"waiting for partition {partition.name}, which is {now}"):
        partition.wait_for_status(_SETTLED)
    return status(partition)


def _stop(partition: zhmcclient.Partition) -> None:
    try:
        with attempting(f"stopping partition {partition.name}"):
            partition.stop()
    except WrongStatus:
        # Somebody else may have stopped it since; anything but stopped is an error.
        if status(partition) != states.STOPPED:
            raise
