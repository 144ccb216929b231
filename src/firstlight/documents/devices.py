"""The ``devices`` of ``meta_data.json``, as each version shows them."""

from collections.abc import Iterable
from typing import Any

from firstlight.documents import versions
from firstlight.instance import Device, Disk, Nic, Share


def devices(recorded: Iterable[Device], version: str) -> list[dict[str, Any]]:
    """What `version` shows of the recorded devices, in their order."""
    shown = (_device(device, version) for device in recorded)
    return [device for device in shown if device is not None]


def _device(device: Device, version: str) -> dict[str, Any] | None:
    if isinstance(device, Nic):
        fields = _nic(device, version)
    elif isinstance(device, Disk):
        fields = _disk(device)
    else:
        fields = _share(device, version)
    if fields is None:
        return None
    fields["bus"] = device.bus or "none"
    fields["address"] = device.address or "none"
    if device.tags is not None:
        fields["tags"] = list(device.tags)
    return fields


def _nic(nic: Nic, version: str) -> dict[str, Any] | None:
    fields: dict[str, Any] = {}
    if version >= versions.OCATA and nic.vlan is not None:
        fields["vlan"] = nic.vlan
    if version >= versions.ROCKY:
        fields["vf_trusted"] = nic.vf_trusted
    if nic.tags is None and not fields:
        return None  # nothing this version could say about it
    return fields | {"type": "nic", "mac": nic.mac}


def _disk(disk: Disk) -> dict[str, Any]:
    fields = {"type": "disk"}
    if disk.serial is not None:
        fields["serial"] = disk.serial
    if disk.path is not None:
        fields["path"] = disk.path
    return fields


def _share(share: Share, version: str) -> dict[str, Any] | None:
    if version < versions.EPOXY:
        return None
    return {"type": "share", "share_id": share.share_id, "tag": share.tag}
