"""From what Cinder answers to the one path that firmware boots by: initiator, target, LUN.

Firmware knows no multipath: it takes one path, and the guest finds the others itself.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from nova import exception

FIBRE_CHANNEL = "fibre_channel"


class Path(NamedTuple):
    """Where a volume is reached: both WWPNs are 16 lower-case hex digits, the LUN too."""

    initiator: str
    target: str
    lun: str
    #: The volume's, in GiB; 1 if Nova does not know.
    size: int = 1


def wwpn(text: str) -> str:
    """A WWPN as compared and sent: lower case, no ``0x``, no colons, all 16 digits."""
    return text.strip().lower().removeprefix("0x").replace(":", "").zfill(16)


def lun(number: int | str) -> str:
    """A LUN in the FCP form of 8 bytes, 16 hex digits: Linux and firmware name it so.

    Numbers up to 0xffff are the first two bytes; greater ones are the first four (SAM, flat
    space, as zfcp and its tools write it). Text of hex digits that is that long already is kept.
    """
    if isinstance(number, str) and len(number.removeprefix("0x")) == 16:
        return number.removeprefix("0x").lower()
    value = int(number)
    return f"{value:04x}{0:012x}" if value <= 0xFFFF else f"{value:08x}{0:08x}"


class Volume(NamedTuple):
    """What a partition boots from."""

    #: Cinder's connection_info.
    connection: Mapping[str, Any]
    #: In GiB; 1 if Nova does not know.
    size: int = 1


def volume(block_device_info: Mapping[str, Any] | None) -> Volume:
    """The one with boot index 0; raises InvalidInput unless there is one.

    All volumes are looked at, see :func:`check`.
    """
    volumes = (block_device_info or {}).get("block_device_mapping") or []
    for one in volumes:
        try:
            check(one["connection_info"])
        except exception.VolumeDriverNotFound as error:
            raise exception.InvalidInput(
                reason=f"a volume is reached by {one['connection_info'].get('driver_volume_type')};"
                " a partition reaches volumes by Fibre Channel only: choose another volume type"
            ) from error
    boot = [one for one in volumes if one.get("boot_index") == 0]
    if len(boot) != 1:
        raise exception.InvalidInput(
            reason=f"a partition boots from one volume, with boot index 0; there are {len(boot)}"
        )
    return Volume(boot[0]["connection_info"], getattr(boot[0], "volume_size", None) or 1)


def check_type(connection: Mapping[str, Any]) -> None:
    """Raises VolumeDriverNotFound unless the volume is reached by Fibre Channel."""
    kind = connection.get("driver_volume_type")
    if kind != FIBRE_CHANNEL:
        raise exception.VolumeDriverNotFound(driver_type=kind)


def check(connection: Mapping[str, Any]) -> None:
    """The same, and raises VolumeEncryptionNotSupported if a node is meant to encrypt the volume.

    None sees its data, so the guest would read what is encrypted, and write what is not.
    """
    check_type(connection)
    if (connection.get("data") or {}).get("encrypted"):
        raise exception.VolumeEncryptionNotSupported(
            volume_type=FIBRE_CHANNEL, volume_id=connection.get("serial")
        )


def paths(volume: Volume, initiators: Sequence[str], ignored: Iterable[str] = ()) -> list[Path]:
    """Every path to a volume, in the order of the initiators, without the targets ignored.

    Where Cinder says nothing of zones, each initiator reaches each target. Raises InvalidVolume
    if no path is left.
    """
    data = volume.connection.get("data") or {}
    luns = _luns(data)
    unwanted = set(map(wwpn, ignored))
    found = [
        Path(initiator, target, luns[target], volume.size)
        for initiator in map(wwpn, initiators)
        for target in _targets(data, initiator)
        if target in luns and target not in unwanted
    ]
    if not found:
        raise exception.InvalidVolume(reason=_no_path(data, initiators, unwanted))
    return found


def _all_targets(data: Mapping[str, Any]) -> list[str]:
    named = data.get("target_wwns") or data.get("target_wwn") or []
    return [wwpn(target) for target in ([named] if isinstance(named, str) else named)]


def _targets(data: Mapping[str, Any], initiator: str) -> list[str]:
    zones = data.get("initiator_target_map")
    if not zones:
        return _all_targets(data)
    return [
        wwpn(target)
        for known, targets in zones.items()
        if wwpn(known) == initiator
        for target in targets
    ]


def _luns(data: Mapping[str, Any]) -> dict[str, str]:
    zones = data.get("initiator_target_map") or {}
    targets = _all_targets(data) or [wwpn(one) for many in zones.values() for one in many]
    numbers = data.get("target_luns") or data.get("target_lun", 0)
    if not isinstance(numbers, list | tuple):
        numbers = [numbers] * len(targets)
    return {target: lun(number) for target, number in zip(targets, numbers, strict=False)}


def _no_path(data: Mapping[str, Any], initiators: Sequence[str], unwanted: set[str]) -> str:
    return (
        f"no path is left to boot by: the partition's ports are {', '.join(initiators) or 'none'}, "
        f"Cinder's zones are {data.get('initiator_target_map') or 'not said'}, its targets "
        f"{', '.join(_all_targets(data)) or 'none'}, and [dpm] target_wwpn_ignore_list takes away "
        f"{', '.join(sorted(unwanted)) or 'none'}"
    )
