"""Nova's driver for IBM Z in DPM mode: Nova's methods, and nothing else.

An instance is a partition of a machine; the Hardware Management Console (HMC) makes, starts, stops
and deletes it. What each method may be relied on for is nova.virt.driver.ComputeDriver's contract.
Nova's methods grow arguments with its releases; those that a partition has no use for are ``*_``
and ``**__``.
"""

from functools import partial
from typing import Any

from nova import exception
from nova.compute import task_states
from nova.conf import CONF
from nova.virt import configdrive, driver, hardware
from nova.virt.node import get_local_node_uuid
from oslo_log import log as logging

from firstlight_dpm import options
from firstlight_dpm.compute import boot, config_drives, console, cpc_subset, partitions
from firstlight_dpm.compute.cpc_subset import HostShare
from firstlight_dpm.compute.exceptions import raises_nova_exceptions
from firstlight_dpm.compute.partitions import Partitions
from firstlight_dpm.compute.ports.nics import Nics
from firstlight_dpm.compute.ports.vif_events import plugged
from firstlight_dpm.compute.ports.vifs import Vif
from firstlight_dpm.compute.spawn.cleanup import Cleanup
from firstlight_dpm.compute.spawn.plan import Step, carry_out
from firstlight_dpm.compute.spawn.spawn_plan import Order, SpawnPlan, Start
from firstlight_dpm.compute.states import power_state_of
from firstlight_dpm.compute.storage import Hbas, Storage, StorageGroups
from firstlight_dpm.errors import Consequence, Gone, HmcError, WrongStatus, attempting
from firstlight_dpm.hmc import Features, Hmc, Login, features
from firstlight_dpm.hmc.session import BadLogin

LOG = logging.getLogger(__name__)

#: While Nova makes a server (again), a partition that is not there is made when first needed.
#: Unshelving and rebuilding ask for the connector without prepare_for_spawn.
_MAKING = frozenset(
    {
        task_states.SCHEDULING,
        task_states.NETWORKING,
        task_states.BLOCK_DEVICE_MAPPING,
        task_states.SPAWNING,
        task_states.REBUILDING,
        task_states.REBUILD_BLOCK_DEVICE_MAPPING,
        task_states.REBUILD_SPAWNING,
        task_states.UNSHELVING,
    }
)


class DPMDriver(driver.ComputeDriver):
    """``compute_driver = dpm.DPMDriver``: a host is a CPC subset, known by ``[DEFAULT] host``."""

    capabilities = driver.ComputeDriver.capabilities | {
        "supports_attach_interface": True,
        "supports_image_type_raw": True,
    }

    def __init__(self, virtapi: Any) -> None:
        super().__init__(virtapi)
        options.register_compute(CONF)
        self._in_sight = True

    @raises_nova_exceptions
    def init_host(self, host: str) -> None:
        """Check what the operator said against the machine; raises with what to change."""
        try:
            self._hmc = Hmc(Login.of(CONF))
        except BadLogin as error:
            raise exception.InvalidConfiguration(str(error)) from error
        self._share = HostShare.of(CONF, host)
        cpc = self._hmc.find_cpc()
        cpc_subset.check(cpc, self._share)
        with attempting(f"asking what machine {cpc.name} can do"):
            self._build(features(cpc))
        cpc_subset.check_owner(self._partitions.all().values(), self._partitions.node)
        self._ending.remember_others()
        hmc = cpc.manager.session.actual_host
        LOG.info("host %s is a subset of machine %s, by HMC %s", host, cpc.name, hmc)

    def _build(self, can: Features) -> None:
        host, ports = self._share.host, self._share.ports
        storage: Storage = (
            StorageGroups(self._hmc, host, ports) if can.storage_groups else Hbas(host, ports)
        )
        self._partitions = Partitions(self._hmc, host, get_local_node_uuid())
        self._nics = Nics(self._hmc, host, can, CONF.dpm.guests_learn_nics)
        ignored = tuple(CONF.dpm.target_wwpn_ignore_list)
        self._spawning = SpawnPlan(
            self._partitions,
            storage,
            self._nics,
            CONF.my_block_storage_ip,
            ignored,
            config_drives.configured(CONF),
        )
        self._ending = Cleanup(self._spawning)

    def cleanup_host(self, *_: Any, **__: Any) -> None:
        """Log off from the HMC."""
        self._hmc.close()

    # What there is

    def get_available_nodes(self, *_: Any, **__: Any) -> list[str]:
        """The host is its only node."""
        return [self._share.host]

    @raises_nova_exceptions
    def list_instance_uuids(self) -> list[str]:
        """Of this host's partitions; other hosts' and other people's are not seen."""
        return list(self._partitions.all())

    def list_instances(self) -> list[str]:
        """The same: a partition knows its instance's UUID and no other name of it."""
        return self.list_instance_uuids()

    @raises_nova_exceptions
    def instance_exists(self, instance: Any) -> bool:
        """Whether the instance has a partition."""
        return self._partitions.find(instance.uuid) is not None

    @raises_nova_exceptions
    def get_info(self, instance: Any, *_: Any, **__: Any) -> hardware.InstanceInfo:
        """The power state; raises InstanceNotFound."""
        partition = self._partitions.get(instance.uuid)
        state = power_state_of(partition.get_property("status"))
        return hardware.InstanceInfo(state=state, internal_id=partition.name)

    @raises_nova_exceptions
    def get_available_resource(self, *_: Any, **__: Any) -> dict[str, Any]:
        """What Nova shows of the host."""
        cpc = self._machine()
        self._ending.sweep()
        return cpc_subset.resources(cpc, self._share, self._used())

    def update_provider_tree(self, provider_tree: Any, nodename: str, *_: Any, **__: Any) -> None:
        """What Placement may give away of the host."""
        known = provider_tree.data(nodename).inventory
        ratio = self._get_allocation_ratios(known)["VCPU"]
        provider_tree.update_inventory(nodename, cpc_subset.inventory(self._share, ratio))

    @raises_nova_exceptions
    def get_console_output(self, _context: Any, instance: Any) -> bytes:
        """What the guest said on the HMC's operating system messages; machines from the z14 on."""
        partition = self._partitions.get(instance.uuid)
        try:
            return console.output(partition).encode()
        except (Gone, WrongStatus) as error:
            raise exception.ConsoleNotAvailable(str(error)) from error

    def _machine(self) -> Any:
        """The machine; what Nova logs each time that it is not seen, is said once here."""
        try:
            cpc = self._hmc.find_cpc()
        except HmcError as error:
            if self._in_sight:
                LOG.warning("the machine is out of sight: %s", error)
            self._in_sight = False
            raise
        if not self._in_sight:
            LOG.info("machine %s is in sight again", cpc.name)
        self._in_sight = True
        return cpc

    def _used(self) -> list[dict[str, Any]]:
        used = []
        for partition in self._partitions.all().values():
            try:
                with attempting(f"reading partition {partition.name}"):
                    partition.pull_full_properties()
            except Gone:
                continue
            if maker := cpc_subset.other_maker(partition.properties, self._partitions.node):
                LOG.error(
                    "partition %s was made by compute node %s: another cloud uses the same "
                    "[DEFAULT] host on this machine, and one of both must have another",
                    partition.name,
                    maker,
                )
                continue
            used.append(dict(partition.properties))
        return used

    # Making and removing servers

    def prepare_for_spawn(self, instance: Any) -> None:
        """Make the partition, whose WWPNs Cinder needs; refuse what cannot become one."""
        self._refuse(instance)
        self._ending.begin(instance)
        try:
            carry_out(self._spawning.preparation(_order(instance)))
        except HmcError as error:
            LOG.warning("no partition could be prepared: %s", error, instance=instance)
            if error.consequence is Consequence.ABORT:
                raise exception.InstanceUnacceptable(
                    instance_id=instance.uuid, reason=str(error)
                ) from error
            # Of all that this may raise, only this makes Nova try another host.
            raise exception.ComputeResourcesUnavailable(reason=str(error)) from error

    def failed_spawn_cleanup(self, instance: Any) -> None:
        """Remove what prepare_for_spawn made, now or later: what Nova is about to say of the
        failure must not be hidden by another one."""
        try:
            self._ending.remove(instance)
        except (HmcError, config_drives.DriveFailed) as error:
            LOG.warning("a partition is left, to be removed: %s", error, instance=instance)

    @raises_nova_exceptions
    def spawn(
        self,
        _context: Any,
        instance: Any,
        _image_meta: Any,
        injected_files: Any,
        admin_password: str | None,
        *_: Any,
        network_info: Any = None,
        block_device_info: Any = None,
        power_on: bool = True,
        **__: Any,
    ) -> None:
        """Make a partition that boots from its volume; nothing is left of it if that fails."""
        self._refuse(instance)
        image = partial(
            config_drives.image,
            instance,
            network_info=network_info,
            files=injected_files,
            password=admin_password,
        )
        start = Start(
            block_device_info,
            network_info,
            lambda vifs: plugged(self.virtapi, CONF, instance, vifs),
            power_on,
            image if configdrive.required_by(instance) else None,
        )
        carry_out(self._spawning.plan(_order(instance), start))
        self._ending.came_to_be(instance)

    def destroy(self, _context: Any, instance: Any, *_: Any, **__: Any) -> None:
        """Remove the partition and what belongs to it, if it is there, in whatever state.

        Raises InstancePowerOffFailure if that cannot be done, so that Nova does not give away the
        addresses of a partition that may still run.
        """
        try:
            self._ending.remove(instance)
        except (HmcError, config_drives.DriveFailed) as error:
            raise exception.InstancePowerOffFailure(reason=str(error)) from error

    def cleanup(self, context: Any, instance: Any, *_: Any, **__: Any) -> None:
        """The same: nothing is left outside the partition."""
        self.destroy(context, instance)

    def _refuse(self, instance: Any) -> None:
        """Raises InstanceUnacceptable for what no partition can be, before anything is made."""
        if instance.image_ref:
            raise exception.InstanceUnacceptable(
                instance_id=instance.uuid,
                reason="a partition boots from a volume, not from an image: make a volume from "
                "the image and boot from that",
            )
        if configdrive.required_by(instance) and not self._spawning.writer:
            raise exception.InstanceUnacceptable(
                instance_id=instance.uuid,
                # Of what Nova puts around it, the owner is shown 255 characters.
                reason="this host makes no config drives ([dpm] config_drive_writer is not set); "
                "the metadata service tells the same",
            )

    # Power

    @raises_nova_exceptions
    def power_on(self, _context: Any, instance: Any, *_: Any, **__: Any) -> None:
        """See that the partition runs."""
        partitions.start(self._partitions.get(instance.uuid))

    @raises_nova_exceptions
    def power_off(self, instance: Any, *_: Any, **__: Any) -> None:
        """See that the partition is stopped; DPM cannot ask the guest to shut down first."""
        partitions.stop(self._partitions.get(instance.uuid))

    @raises_nova_exceptions
    def reboot(self, _context: Any, instance: Any, *_: Any, **__: Any) -> None:
        """Stop and start the partition, whichever type of reboot: DPM has no softer one."""
        partitions.restart(self._partitions.get(instance.uuid))

    def resume_state_on_host_boot(self, context: Any, instance: Any, *_: Any, **__: Any) -> None:
        """See that the partition runs, as it did before the machine was switched off."""
        self.power_on(context, instance)

    def check_can_live_migrate_destination(self, *_: Any, **__: Any) -> None:
        """Raises MigrationPreCheckError, which leaves the server as it is."""
        raise exception.MigrationPreCheckError(reason="a partition that runs cannot move")

    # Volumes and ports

    @raises_nova_exceptions
    def get_volume_connector(self, instance: Any) -> dict[str, Any]:
        """The WWPNs of the instance's own ports."""
        if instance.task_state in _MAKING:
            self.prepare_for_spawn(instance)
        else:
            self._partitions.get(instance.uuid)
        return self._spawning.connector(instance.uuid)

    def attach_volume(self, _context: Any, connection_info: Any, *_: Any, **__: Any) -> None:
        """Nothing is to be done: Cinder has mapped the volume to ports that the guest has."""
        boot.check(connection_info)

    def detach_volume(self, _context: Any, connection_info: Any, *_: Any, **__: Any) -> None:
        """Nothing is to be done: Cinder takes the mapping away."""
        boot.check_type(connection_info)

    @raises_nova_exceptions
    def attach_interface(self, _context: Any, instance: Any, _image_meta: Any, vif: Any) -> None:
        """Give the partition a NIC, running or not; nothing is left of it if that fails."""
        partition, wanted = self._partitions.get(instance.uuid), Vif.of(vif)
        self._nics.check(partition, [wanted])
        plug = partial(self._nics.plug, partition, wanted)
        unplug = partial(self._nics.unplug, partition, wanted.port)
        with self._ending.attaching(instance.uuid, wanted.port):
            carry_out([Step("the NIC", plug, unplug)])

    @raises_nova_exceptions
    def detach_interface(self, _context: Any, instance: Any, vif: Any) -> None:
        """Take the port's NIC from the partition, running or not."""
        self._nics.unplug(self._partitions.get(instance.uuid), vif["id"])


def _order(instance: Any) -> Order:
    return Order(instance.uuid, instance.flavor.vcpus, instance.flavor.memory_mb)
