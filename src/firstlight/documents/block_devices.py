"""The EC2 ``block-device-mapping``."""

from firstlight.instance import BlockDevice, Instance

# What Nova answers for a server whose root device nobody named.
_UNNAMED_ROOT: dict[str, str | None] = {
    "ami": "sda1",
    "ephemeral0": "sda2",
    "root": "/dev/sda1",
    "swap": "sda3",
}


def block_device_mapping(instance: Instance) -> dict[str, str | None]:
    """Name in EC2's words → device."""
    root = instance.root_device_name
    if root is None:
        return _UNNAMED_ROOT
    mapping: dict[str, str | None] = {"ami": root.removeprefix("/dev/"), "root": root}
    if instance.default_ephemeral_device:
        mapping["ephemeral0"] = instance.default_ephemeral_device
    if instance.default_swap_device:
        mapping["swap"] = instance.default_swap_device
    volumes = [d.device_name for d in instance.block_devices if d.destination_type == "volume"]
    volumes.sort(key=lambda name: (name is not None, name))  # unnamed ones first
    mapping |= {f"ebs{number}": name for number, name in enumerate(volumes)}
    blanks = [device for device in instance.block_devices if _is_blank_disk(device)]
    swaps = [device.device_name for device in blanks if device.guest_format == "swap"]
    if swaps:
        mapping["swap"] = swaps[-1]
    ephemerals = [device.device_name for device in blanks if device.guest_format != "swap"]
    return mapping | {f"ephemeral{number}": name for number, name in enumerate(ephemerals)}


def _is_blank_disk(device: BlockDevice) -> bool:
    return device.destination_type != "volume" and device.source_type == "blank"
