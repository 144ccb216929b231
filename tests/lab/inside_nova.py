"""Runs inside the lab's own environment: makes Nova's databases and instances with Nova's objects.

    python inside_nova.py NOVA_CONF < kinds.json > network_info.json

Each kind is ``{"name", "instance", "told", "cell"}``. Printed, on the last line, is the network
info Nova keeps of each, by name. Everything is written by nova-manage's commands and Nova's
objects, the EC2 ids through its tables, so that their numbers are the ones the kind asks for. Runs
on every Nova from 27 on.
"""

from __future__ import annotations  # nova.objects fills itself at register_all()

import json
import sys
from typing import Any

from nova import monkey_patch

if hasattr(monkey_patch, "patch"):  # before Nova 32, importing it was enough
    monkey_patch.patch(backend="threading")

import nova.conf
from nova import config, context, objects
from nova.cmd import manage
from nova.db import migration
from nova.db.main import api as main_db
from nova.db.main import models
from nova.network import model
from nova.objects import virt_device_metadata as device_metadata

BUSES = {
    "pci": device_metadata.PCIDeviceBus,
    "usb": device_metadata.USBDeviceBus,
    "scsi": device_metadata.SCSIDeviceBus,
    "ide": device_metadata.IDEDeviceBus,
    "xen": device_metadata.XenDeviceBus,
}
DEVICES = {
    "nic": device_metadata.NetworkInterfaceMetadata,
    "disk": device_metadata.DiskMetadata,
}
if hasattr(device_metadata, "ShareMetadata"):  # since Nova 31
    DEVICES["share"] = device_metadata.ShareMetadata


def make_databases(cells: set[int]) -> None:
    """API database, cell0, and the databases of these cells, as an operator makes them."""
    url = nova.conf.CONF.database.connection
    manage.ApiDbCommands().sync()
    manage.CellV2Commands().map_cell0(f"{url}_cell0")
    manage.CellV2Commands().create_cell(name="cell1")
    manage.DbCommands().sync()
    for number in sorted(cells - {1}):
        other = f"{url}_cell{number}"
        manage.CellV2Commands().create_cell(f"cell{number}", other, f"fake://cell{number}/")
        # There, nova-manage would run from a nova.conf that names this database as its own.
        with context.target_cell(context.get_admin_context(), cell(number)) as ctxt:
            migration.db_sync(database="main", context=ctxt)


def cell(number: int) -> objects.CellMapping:
    """One of those that hold instances."""
    every = objects.CellMappingList.get_all(context.get_admin_context())
    return next(mapping for mapping in every if mapping.name == f"cell{number}")


def make_instance(ctxt: context.RequestContext, kind: dict[str, Any]) -> Any:
    """Everything Nova's databases hold of one kind; the network info is returned."""
    told, ours = kind["told"], kind["instance"]
    network_info = network_info_of(ours, told)
    allot_ec2_ids(ctxt, ours)
    instance = objects.Instance(
        ctxt,
        uuid=ours["uuid"],
        project_id=ours["project_id"],
        user_id="8ba7de48a5b04fd3a5d3a1f4e2e1c1a0",
        display_name=ours["name"],
        hostname=ours["hostname"],
        launch_index=ours.get("launch_index", 0),
        availability_zone=ours.get("availability_zone"),
        metadata=ours.get("metadata", {}),
        system_metadata=system_metadata(ours),
        user_data=ours.get("user_data"),
        image_ref=ours.get("image_id", ""),
        kernel_id=ours.get("kernel_id"),
        ramdisk_id=ours.get("ramdisk_id"),
        reservation_id=ours.get("reservation_id"),
        root_device_name=ours.get("root_device_name"),
        default_ephemeral_device=ours.get("default_ephemeral_device"),
        default_swap_device=ours.get("default_swap_device"),
        flavor=flavor(ours),
        device_metadata=devices(ours, told),
        numa_topology=numa_topology(ours, told),
        vm_state="active",
        host="compute-1",
        **keypair(ours),
    )
    instance.create()
    objects.InstanceMapping(
        context.get_admin_context(),
        instance_uuid=ours["uuid"],
        project_id=ours["project_id"],
        cell_mapping=cell(kind["cell"]),
        queued_for_delete=False,
    ).create()
    info_cache = objects.InstanceInfoCache.new(ctxt, ours["uuid"])
    info_cache.network_info = network_info
    info_cache.save()
    for device in ours.get("block_devices", ()):
        block_device(ctxt, ours["uuid"], device)
    if told.get("deleted"):
        instance.destroy()
    return json.loads(network_info.json())


def allot_ec2_ids(ctxt: context.RequestContext, ours: dict[str, Any]) -> None:
    """Write the id tables' rows before Nova would allot numbers of its own."""
    ids = ours["ec2_ids"]
    with main_db.get_context_manager(ctxt).writer.using(ctxt):
        ctxt.session.merge(models.InstanceIdMapping(id=ids["instance"], uuid=ours["uuid"]))
        for kind in ("image", "kernel", "ramdisk"):
            if kind in ids:
                ctxt.session.merge(models.S3Image(id=ids[kind], uuid=ours[f"{kind}_id"]))


def system_metadata(ours: dict[str, Any]) -> dict[str, str]:
    """The password in Nova's four pieces, and the boot roles."""
    password = ours.get("password", "")
    pieces = {f"password_{n}": password[n * 255 : (n + 1) * 255] for n in range(4)}
    roles = {"boot_roles": ours["boot_roles"]} if "boot_roles" in ours else {}
    return (pieces if password else {}) | roles


def flavor(ours: dict[str, Any]) -> objects.Flavor:
    """A flavor of that name; the rest of it no document shows."""
    return objects.Flavor(
        id=1,
        flavorid="1",
        name=ours["flavor"],
        memory_mb=512,
        vcpus=1,
        root_gb=1,
        ephemeral_gb=0,
        swap=0,
        rxtx_factor=1.0,
        vcpu_weight=0,
        disabled=False,
        is_public=True,
        extra_specs={},
        projects=[],
    )


def keypair(ours: dict[str, Any]) -> dict[str, Any]:
    """The instance's two copies of its key, as arguments of Instance."""
    key = ours.get("keypair")
    if key is None:
        return {"keypairs": objects.KeyPairList(objects=[])}
    record = objects.KeyPair(
        user_id="8ba7de48a5b04fd3a5d3a1f4e2e1c1a0",
        name=key["name"],
        type=key.get("type", "ssh"),
        public_key=key.get("public_key"),
        fingerprint="00:11",
    )
    kept = [record] if "public_key" in key else []
    return {
        "key_name": key["name"],
        "key_data": key.get("as_booted", key.get("public_key")),
        "keypairs": objects.KeyPairList(objects=kept),
    }


def block_device(ctxt: context.RequestContext, uuid: str, ours: dict[str, Any]) -> None:
    """One row of the block device mapping."""
    objects.BlockDeviceMapping(
        ctxt,
        instance_uuid=uuid,
        device_name=ours.get("device_name"),
        source_type=ours["source_type"],
        destination_type=ours["destination_type"],
        guest_format=ours.get("guest_format"),
        delete_on_termination=False,
        boot_index=-1,
        no_device=False,
    ).create()


def devices(ours: dict[str, Any], told: dict[str, Any]) -> Any:
    """Device metadata as the libvirt driver records it."""
    recorded = [device(entry) for entry in ours.get("devices", ())]
    if told.get("unknown_devices"):
        unknown_bus = device_metadata.DiskMetadata(bus=device_metadata.DeviceBus(), serial="bus")
        recorded = [unknown_bus, *recorded, device_metadata.DeviceMetadata(tags=["type"])]
    return device_metadata.InstanceDeviceMetadata(devices=recorded) if recorded else None


def device(ours: dict[str, Any]) -> device_metadata.DeviceMetadata:
    """One device; a field our document leaves out is not set."""
    fields = {name: ours[name] for name in ours if name not in ("type", "bus", "address")}
    if "bus" in ours:
        where = {"address": ours["address"]} if "address" in ours else {}
        fields["bus"] = BUSES[ours["bus"]](**where)
    return DEVICES[ours["type"]](**fields)


def numa_topology(ours: dict[str, Any], told: dict[str, Any]) -> Any:
    """The dedicated processors, dealt out to the cells; the last one has a shared processor too."""
    pinned, count = ours.get("dedicated_cpus", []), told.get("numa_cells", 1)
    if not pinned and "numa_cells" not in told:
        return None
    cells = [
        objects.InstanceNUMACell(
            id=number, cpuset={100 + number}, pcpuset=set(pinned[number::count]), memory=512
        )
        for number in reversed(range(count))
    ]
    return objects.InstanceNUMATopology(cells=cells)


def network_info_of(ours: dict[str, Any], told: dict[str, Any]) -> model.NetworkInfo:
    """Nova's cache of the interfaces."""
    return model.NetworkInfo([vif(entry, told) for entry in ours.get("interfaces", ())])


def vif(ours: dict[str, Any], told: dict[str, Any]) -> model.VIF:
    """One interface."""
    network = ours["network"]
    return model.VIF(
        id=ours["port_id"],
        address=ours["mac"],
        type=ours.get("vif_type", "ovs"),
        devname=ours["device_name"],
        network=None if network is None else nova_network(network, told),
        active=True,
    )


def nova_network(ours: dict[str, Any], told: dict[str, Any]) -> model.Network:
    """One network with the subnets this port has addresses of."""
    return model.Network(
        id=ours["id"],
        bridge="br-int",
        label="net",
        subnets=[subnet(entry) for entry in ours["subnets"]],
        injected=told.get("injected", False),
        mtu=ours.get("mtu"),
    )


def subnet(ours: dict[str, Any]) -> model.Subnet:
    """One subnet; a DHCP server and an address mode are only there where known."""
    known = {name: ours[name] for name in ("dhcp_server", "ipv6_address_mode") if name in ours}
    gateway = ours.get("gateway")
    return model.Subnet(
        cidr=ours["cidr"],
        gateway=model.IP(address=gateway, type="gateway") if gateway else None,
        dns=[model.IP(address=address, type="dns") for address in ours.get("dns", ())],
        ips=[fixed_ip(entry) for entry in ours.get("addresses", ())],
        routes=[
            model.Route(cidr=r["cidr"], gateway=model.IP(address=r["gateway"], type="gateway"))
            for r in ours.get("routes", ())
        ],
        enable_dhcp=ours.get("enable_dhcp", False),
        **known,
    )


def fixed_ip(ours: dict[str, Any]) -> model.FixedIP:
    """An address with its floating ones."""
    floating = [model.IP(address=a, type="floating") for a in ours.get("floating", ())]
    return model.FixedIP(address=ours["address"], floating_ips=floating)


def main() -> None:
    """Databases, then every kind from standard input."""
    config.parse_args(["inside_nova", "--config-file", sys.argv[1]])
    objects.register_all()
    kinds = json.load(sys.stdin)
    cells = {kind["cell"] for kind in kinds}
    make_databases(cells)
    made = {}
    for number in sorted(cells):
        with context.target_cell(context.get_admin_context(), cell(number)) as ctxt:
            ours = [kind for kind in kinds if kind["cell"] == number]
            made |= {kind["name"]: make_instance(ctxt, kind) for kind in ours}
    print(json.dumps(made))


main()
