"""Runs inside the lab's own environment: changes servers with Nova's own objects.

    python changing_nova.py NOVA_CONF...

Each line of standard input is ``[change, uuid, notify]``; it is answered with a line when all is in
the databases and on its way to the broker. A change writes what Nova's compute service writes, with
one thing in it that documents show, and notifies (or not) by Nova's own notification code.
"""

from __future__ import annotations  # nova.objects fills itself at register_all()

import json
import sys
from collections.abc import Callable
from typing import Any

from nova import monkey_patch

monkey_patch.patch(backend="threading")

import nova.conf  # noqa: E402  after Nova's patching
from nova import config, context, objects, rpc  # noqa: E402  after Nova's patching
from nova.compute import utils  # noqa: E402  after Nova's patching
from nova.network import model  # noqa: E402  after Nova's patching
from nova.objects import virt_device_metadata  # noqa: E402  after Nova's patching

HOST = "compute-1"
VOLUME = "00000004-0000-4000-8000-000000000001"


class Change:
    """`act` changes the instance; `action` (versioned) and `suffix` (unversioned) are notified."""

    def __init__(
        self, act: Callable[[Any, Any], None], action: str, suffix: str, phase: str | None = "end"
    ) -> None:
        self.act = act
        self.action = action
        self.suffix = suffix
        self.phase = phase


def count(instance: Any, what: str) -> None:
    """Something that documents show, another one each time."""
    so_far = int(instance.metadata.get(what, "0"))
    instance.metadata = {**instance.metadata, what: str(so_far + 1)}


def state(vm_state: str) -> Callable[[Any, Any], None]:
    """A change of state, with a property in which it shows."""

    def act(_ctxt: Any, instance: Any) -> None:
        count(instance, vm_state)
        instance.task_state = f"to-{vm_state}"
        instance.save()
        instance.vm_state = vm_state
        instance.task_state = None
        instance.save()

    return act


def reboot(_ctxt: Any, instance: Any) -> None:
    """The driver records devices anew at each boot."""
    so_far = len(instance.device_metadata.devices) if instance.device_metadata else 0
    disk = virt_device_metadata.DiskMetadata(
        serial=f"boot-{so_far}", bus=virt_device_metadata.SCSIDeviceBus(), tags=["boot"]
    )
    devices = [*(instance.device_metadata.devices if instance.device_metadata else ()), disk]
    instance.device_metadata = virt_device_metadata.InstanceDeviceMetadata(devices=devices)
    instance.save()


def rebuild(_ctxt: Any, instance: Any) -> None:
    """Another image, key and user data."""
    instance.image_ref = "00000001-0000-4000-8000-0000000000ff"
    instance.user_data = "cmVidWlsdA=="
    instance.key_data = "ssh-rsa REBUILT"
    instance.save()


def rename(_ctxt: Any, instance: Any) -> None:
    """What the API does for `openstack server set --name`; Nova notifies of it in save()."""
    instance.display_name = f"{instance.display_name}'"
    instance.save()


def update_metadata(_ctxt: Any, instance: Any) -> None:
    """What the API does for `openstack server set --property`."""
    count(instance, "changes")
    instance.save()


def attach_interface(_ctxt: Any, instance: Any) -> None:
    """One more interface in the info cache."""
    found = instance.info_cache.network_info
    number = len(found) + 1
    vif = model.VIF(
        id=f"00000002-0000-4000-8000-0000000fff{number:02x}",
        address=f"fa:16:3e:ff:ff:{number:02x}",
        type="ovs",
        devname=f"tapfff{number:02x}",
        active=True,
        network=model.Network(
            id="00000003-0000-4000-8000-000000000fff",
            bridge="br-int",
            label="attached",
            mtu=1442,
            subnets=[
                model.Subnet(
                    cidr="198.51.100.0/24",
                    gateway=model.IP(address="198.51.100.1", type="gateway"),
                    ips=[model.FixedIP(address=f"198.51.100.{number}")],
                    dns=[],
                    routes=[],
                )
            ],
        ),
    )
    instance.info_cache.network_info = model.NetworkInfo([*found, vif])
    instance.info_cache.save()


def detach_interface(_ctxt: Any, instance: Any) -> None:
    """The last interface less."""
    instance.info_cache.network_info = model.NetworkInfo(instance.info_cache.network_info[:-1])
    instance.info_cache.save()


def attach_volume(ctxt: Any, instance: Any) -> None:
    """One more row of the block device mapping."""
    objects.BlockDeviceMapping(
        ctxt,
        instance_uuid=instance.uuid,
        device_name="/dev/vdx",
        source_type="volume",
        destination_type="volume",
        volume_id=VOLUME,
        delete_on_termination=False,
        boot_index=-1,
        no_device=False,
    ).create()


def detach_volume(ctxt: Any, instance: Any) -> None:
    """That row less."""
    for row in objects.BlockDeviceMappingList.get_by_instance_uuid(ctxt, instance.uuid):
        if row.volume_id == VOLUME:
            row.destroy()


def resize(_ctxt: Any, instance: Any) -> None:
    """Another flavor."""
    instance.flavor.name = f"{instance.flavor.name}+"
    instance.save()


def migrate(_ctxt: Any, instance: Any) -> None:
    """Another zone with another host."""
    instance.host = "compute-2"
    instance.availability_zone = f"{instance.availability_zone}2"
    instance.save()


def delete(_ctxt: Any, instance: Any) -> None:
    """It is gone."""
    instance.destroy()


CHANGES = {
    "reboot": Change(reboot, "reboot", "reboot.end"),
    "stop": Change(state("stopped"), "power_off", "power_off.end"),
    "start": Change(state("active"), "power_on", "power_on.end"),
    "shelve": Change(state("shelved"), "shelve", "shelve.end"),
    "rebuild": Change(rebuild, "rebuild", "rebuild.end"),
    "attach interface": Change(attach_interface, "interface_attach", "interface.attach"),
    "detach interface": Change(detach_interface, "interface_detach", "interface.delete"),
    "attach volume": Change(attach_volume, "volume_attach", "volume.attach"),
    "detach volume": Change(detach_volume, "volume_detach", "volume.detach"),
    "resize": Change(resize, "resize_finish", "finish_resize.end"),
    "live migration": Change(migrate, "live_migration_post_dest", "live_migration.post.dest.end"),
    "delete": Change(delete, "delete", "delete.end"),
}
# Nova tells of these in Instance.save(), if [notifications] notify_on_state_change is set.
SAVED = {"rename": rename, "metadata": update_metadata}


def apply(ctxt: Any, name: str, uuid: str, notify: bool) -> None:
    """One change; what Nova's save() says by itself is said only where nothing else is."""
    instance = objects.Instance.get_by_uuid(
        ctxt,
        uuid,
        expected_attrs=[
            "metadata",
            "system_metadata",
            "info_cache",
            "flavor",
            "device_metadata",
            "keypairs",
            "pci_requests",
        ],
    )
    told = "vm_and_task_state" if notify and name in SAVED else None
    nova.conf.CONF.set_override("notify_on_state_change", told, "notifications")
    if name in SAVED:
        SAVED[name](ctxt, instance)
        return
    change = CHANGES[name]
    change.act(ctxt, instance)
    if notify:
        utils.notify_about_instance_usage(
            rpc.get_notifier("compute", HOST), ctxt, instance, change.suffix
        )
        utils.notify_about_instance_action(
            ctxt, instance, HOST, action=change.action, phase=change.phase
        )


def main() -> None:
    """Answer each line."""
    arguments = [word for path in sys.argv[1:] for word in ("--config-file", path)]
    config.parse_args(["changing_nova", *arguments])
    objects.register_all()
    rpc.init(nova.conf.CONF)
    print("ready", flush=True)
    for line in sys.stdin:
        change, uuid, notify = json.loads(line)
        admin = context.get_admin_context()
        cell = objects.InstanceMapping.get_by_instance_uuid(admin, uuid).cell_mapping
        with context.target_cell(admin, cell) as ctxt:
            apply(ctxt, change, uuid, notify)
        print("done", flush=True)


main()
