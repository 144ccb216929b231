"""Nova's versioned objects, as the columns of its databases keep them: JSON to plain values.

Each object is ``{"nova_object.name", "nova_object.version", "nova_object.data": {...}}``. Nothing
here asks a database; every function takes a column's text, or None where the column is NULL.
"""

from collections.abc import Callable, Mapping
from typing import Any, get_args

import msgspec

from firstlight.instance import Device, Disk, Nic, Share
from firstlight.instance.devices import Bus

_NAME, _VERSION, _DATA = "nova_object.name", "nova_object.version", "nova_object.data"

# A bus of another class hides its device from guests (metadata-api §1.6).
_BUSES: Mapping[str, Bus] = {
    "PCIDeviceBus": "pci",
    "USBDeviceBus": "usb",
    "SCSIDeviceBus": "scsi",
    "IDEDeviceBus": "ide",
    "XenDeviceBus": "xen",
}
assert set(_BUSES.values()) == set(get_args(Bus))

_PINNED_APART = (1, 5)  # InstanceNUMACell: from here on pcpuset holds the dedicated processors


def flavor_name(column: str | None) -> str | None:
    """``instance_extra.flavor``: the name of the current flavor."""
    if not column:
        return None
    name: str = _decode(column)["cur"][_DATA]["name"]
    return name


def keypair_record(column: str | None) -> Mapping[str, Any] | None:
    """``instance_extra.keypairs``: name, type and public_key; None if the user deleted it."""
    if not column:
        return None
    records = _decode(column)[_DATA]["objects"]
    record: Mapping[str, Any] | None = records[0][_DATA] if records else None
    return record


def dedicated_cpus(column: str | None) -> tuple[int, ...]:
    """``instance_extra.numa_topology``: the pinned processors as the guest counts them."""
    topology = _decode(column) if column else {}
    if _NAME not in topology:  # none, or written before Liberty, which knew no pinning
        return ()
    cells = topology[_DATA]["cells"]
    return tuple(sorted(cpu for cell in cells for cpu in _pinned(cell)))


def _pinned(cell: Mapping[str, Any]) -> list[int]:
    data = cell[_DATA]
    pinned: list[int] = data.get("pcpuset") or []
    if pinned or _version(cell) >= _PINNED_APART:
        return pinned
    # Before Victoria a dedicated cell had its processors, all pinned, in cpuset.
    older: list[int] = data["cpuset"] if data.get("cpu_policy") == "dedicated" else []
    return older


def _version(thing: Mapping[str, Any]) -> tuple[int, ...]:
    return tuple(int(part) for part in thing[_VERSION].split("."))


def devices(column: str | None) -> tuple[Device, ...]:
    """``instance_extra.device_metadata``: what the compute driver recorded, in its order.

    Devices and buses of a class that no document shows are left out.
    """
    if not column:
        return ()
    recorded = _decode(column)[_DATA]["devices"]
    found = (_DEVICES[one[_NAME]](one[_DATA]) for one in recorded if _is_shown(one))
    return tuple(found)


def _is_shown(device: Mapping[str, Any]) -> bool:
    bus = device[_DATA].get("bus")
    return device[_NAME] in _DEVICES and (bus is None or bus[_NAME] in _BUSES)


def _nic(data: Mapping[str, Any]) -> Nic:
    return Nic(
        mac=data["mac"],
        vlan=data.get("vlan"),
        vf_trusted=data.get("vf_trusted", False),
        **_common(data),
    )


def _disk(data: Mapping[str, Any]) -> Disk:
    return Disk(serial=data.get("serial"), path=data.get("path"), **_common(data))


def _share(data: Mapping[str, Any]) -> Share:
    return Share(share_id=data["share_id"], tag=data["tag"], **_common(data))


def _common(data: Mapping[str, Any]) -> dict[str, Any]:
    tags = data.get("tags")
    found: dict[str, Any] = {"tags": None if tags is None else tuple(tags)}
    bus = data.get("bus")
    if bus is not None:
        found |= {"bus": _BUSES[bus[_NAME]], "address": bus[_DATA].get("address")}
    return found


_DEVICES: Mapping[str, Callable[[Mapping[str, Any]], Device]] = {
    "NetworkInterfaceMetadata": _nic,
    "DiskMetadata": _disk,
    "ShareMetadata": _share,
}


def _decode(column: str) -> Any:
    return msgspec.json.decode(column)
