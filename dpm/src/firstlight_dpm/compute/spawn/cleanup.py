"""How partitions are taken away: at once, or, if that cannot be, as soon as it can.

Nova's word decides: a partition goes only if its server is not here. One that this process did not
make goes only if Nova knows the server, so that a wrong database takes nothing away.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from nova import exception, objects
from nova.context import get_admin_context
from nova.virt import configdrive
from oslo_log import log as logging

from firstlight_dpm.compute.config_drives import DriveFailed
from firstlight_dpm.compute.spawn.pending_cleanup import PendingCleanup
from firstlight_dpm.compute.spawn.plan import carry_out
from firstlight_dpm.compute.spawn.spawn_plan import SpawnPlan

LOG = logging.getLogger(__name__)


class Cleanup:
    """Of what `spawning` makes. Instances are Nova's."""

    def __init__(self, spawning: SpawnPlan) -> None:
        self._spawning = spawning
        self._leftovers = PendingCleanup()

    def begin(self, instance: Any) -> None:
        """From now on there may be a partition, whatever becomes of the server."""
        settle = partial(self._settle, instance.uuid, drive=_has_drive(instance))
        self._leftovers.remember(instance.uuid, settle)

    def came_to_be(self, instance: Any) -> None:
        """The server has its partition, which Nova will ask to be removed."""
        self._leftovers.forget(instance.uuid)

    def remove(self, instance: Any) -> None:
        """Take everything away now; raises HmcErrors and DriveFailed."""
        carry_out(self._spawning.removal(instance.uuid, drive=_has_drive(instance)))
        self._leftovers.forget(instance.uuid)

    @contextmanager
    def attaching(self, uuid: str, port: str) -> Iterator[None]:
        """A port's NIC is made in the block; if that fails, none stays."""
        lock = f"interface-{uuid}-{port}"
        try:
            yield
        except Exception:
            # Not before: Nova holds this lock only if the port was named in the request.
            self._leftovers.remember(lock, partial(self._settle_nic, uuid, port))
            raise
        self._leftovers.forget(lock)

    def remember_others(self) -> None:
        """What a process before this one left."""
        self._remember_partitions()
        self._remember_drives()

    def _remember_partitions(self) -> None:
        """Those of servers that came to be elsewhere, or nowhere.

        For those of servers that were deleted Nova looks itself.
        """
        partitions = self._spawning.partitions
        there = partitions.all().keys()
        if not there:
            return
        context = get_admin_context()
        for uuid in there - objects.InstanceList.get_uuids_by_host(context, partitions.host):
            try:
                self.begin(objects.Instance.get_by_uuid(context, uuid))
            except exception.InstanceNotFound:
                LOG.warning(
                    "partition %s stays: Nova has no server %s; if Nova has deleted it, it takes "
                    "the partition away itself, otherwise that is yours to do on the HMC",
                    partitions.name(uuid),
                    uuid,
                )

    def _remember_drives(self) -> None:
        """Those without a partition, which nothing else would name."""
        try:
            for uuid in self._spawning.drives_alone():
                self._leftovers.remember(uuid, partial(self._settle, uuid, drive=True))
        except DriveFailed as error:
            LOG.warning("config drives that were left are not looked for: %s", error)

    def sweep(self) -> None:
        """Try again what could not be taken away."""
        self._leftovers.sweep()

    def _settle(self, uuid: str, *, drive: bool) -> bool:
        here = self._is_here(uuid)
        if not here:
            carry_out(self._spawning.removal(uuid, drive=drive))
        return not here

    def _is_here(self, uuid: str) -> bool:
        try:
            instance = objects.Instance.get_by_uuid(get_admin_context(), uuid)
        except exception.InstanceNotFound:
            return False
        return bool(instance.host == self._spawning.partitions.host)

    def _settle_nic(self, uuid: str, port: str) -> bool:
        if partition := self._spawning.partitions.find(uuid):
            self._spawning.nics.unplug(partition, port)
        return True


def _has_drive(instance: Any) -> bool:
    return bool(configdrive.required_by(instance))
