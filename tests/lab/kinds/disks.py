"""Kinds that differ in block devices, tagged devices and processors."""

from typing import Any

from lab.kinds.kind import Kind, server


def volume(device_name: str | None = None, source_type: str = "volume") -> dict[str, Any]:
    """A Cinder volume, named or not yet."""
    return {
        "device_name": device_name,
        "source_type": source_type,
        "destination_type": "volume",
    }


def blank(device_name: str | None, guest_format: str | None = None) -> dict[str, Any]:
    """An ephemeral disk, or a swap disk."""
    return {
        "device_name": device_name,
        "source_type": "blank",
        "destination_type": "local",
        "guest_format": guest_format,
    }


NICS = [
    {"type": "nic", "mac": "fa:16:3e:00:00:01"},
    {"type": "nic", "mac": "fa:16:3e:00:00:02", "tags": []},
    {"type": "nic", "mac": "fa:16:3e:00:00:03", "tags": ["a", "b"]},
    {"type": "nic", "mac": "fa:16:3e:00:00:04", "vlan": 0},
    {"type": "nic", "mac": "fa:16:3e:00:00:05", "vlan": 4094, "tags": ["v"], "bus": "pci"},
    {"type": "nic", "mac": "fa:16:3e:00:00:06", "vf_trusted": True, "bus": "usb"},
]
BUSES = [
    {"type": "disk", "bus": "pci", "address": "0000:00:02.0"},
    {"type": "disk", "bus": "usb", "address": "0:1", "serial": "s"},
    {"type": "disk", "bus": "scsi", "address": "1:0:2:0", "path": "/dev/sdb"},
    {"type": "disk", "bus": "ide", "address": "0:1", "serial": "s", "path": "/dev/hda"},
    {"type": "disk", "bus": "xen", "address": "000200", "tags": ["x"]},
    {"type": "disk", "tags": []},
    {"type": "share", "share_id": "ca3c176e", "tag": "first", "tags": ["t"]},
    {"type": "share", "share_id": "ca3c176f", "tag": "second", "bus": "pci"},
]

DISKS = [
    Kind(
        "boot-from-volume",
        server(
            30,
            image_id="",
            root_device_name="/dev/vda",
            block_devices=[volume("/dev/vda"), volume("/dev/vdc"), volume("/dev/vdb", "snapshot")],
            ec2_ids={"instance": 30},
        ),
    ),
    Kind(
        "unnamed-volumes",
        server(
            31,
            root_device_name="/dev/sda1",
            block_devices=[volume("/dev/sdb"), volume(), volume("/dev/sda1"), volume()],
        ),
    ),
    Kind(
        "ephemeral-and-swap",
        server(
            32,
            root_device_name="/dev/vda",
            default_ephemeral_device="/dev/vdx",
            default_swap_device="/dev/vdy",
            block_devices=[
                blank("/dev/vdd", "swap"),
                blank("/dev/vdc"),
                blank("/dev/vdb", "ext4"),
                blank(None),
                blank("/dev/vde", "swap"),
                volume("/dev/vdf", "blank"),
            ],
        ),
    ),
    Kind(
        "default-ephemeral-and-swap",
        server(
            33,
            root_device_name="vda",
            default_ephemeral_device="/dev/vdb",
            default_swap_device="/dev/vdc",
        ),
    ),
    Kind(
        "no-root-device-name",
        server(
            34,
            default_swap_device="/dev/vdc",
            block_devices=[volume("/dev/vdb"), blank("/dev/vdd", "swap")],
        ),
    ),
    Kind("nic-devices", server(35, devices=NICS)),
    Kind("device-buses", server(36, devices=BUSES), told={"unknown_devices": True}),
    Kind("pinned-processors", server(37, dedicated_cpus=[0, 2, 3, 5]), told={"numa_cells": 2}),
    Kind("no-pinned-processors", server(38), told={"numa_cells": 2}),
]
