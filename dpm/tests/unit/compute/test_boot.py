"""From what Cinder answers to the path that a partition boots by."""

import pytest
from nova import exception

from firstlight_dpm.compute.boot import Path, Volume, check, lun, paths, volume, wwpn

FIRST, SECOND = "c05076ffe5000001", "c05076ffe5000002"
TARGET, OTHER = "500507680b244ac1", "500507680b244ac2"


def of(**data: object) -> Volume:
    """A Fibre Channel volume."""
    return Volume({"driver_volume_type": "fibre_channel", "data": data})


def mapping(index: int | None, kind: str = "fibre_channel") -> dict[str, object]:
    """One of Nova's block device mappings."""
    return {"boot_index": index, "connection_info": {"driver_volume_type": kind, "data": {}}}


@pytest.mark.parametrize(
    "text", [TARGET, TARGET.upper(), f"0x{TARGET}", "50:05:07:68:0B:24:4A:C1", f" {TARGET} "]
)
def test_wwpn(text: str):
    """However a WWPN is written, it is the same."""
    assert wwpn(text) == TARGET


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (0, "0000000000000000"),
        (1, "0001000000000000"),
        ("7", "0007000000000000"),
        (0xFFFF, "ffff000000000000"),
        (0x40010003, "4001000300000000"),
        ("0x4001000300000000", "4001000300000000"),
    ],
)
def test_lun(number: int | str, expected: str):
    """A LUN has the eight bytes that Linux and the firmware name it by."""
    assert lun(number) == expected


def test_boot_index():
    """The boot volume is the one with index 0, wherever it stands."""
    info = {"block_device_mapping": [mapping(1), mapping(0), mapping(None)]}
    assert volume(info).connection is info["block_device_mapping"][1]["connection_info"]


@pytest.mark.parametrize("indexes", [[], [1], [None], [0, 0]])
def test_not_one_boot_volume(indexes: list[int | None]):
    """None and several are refused, with how many there are."""
    info = {"block_device_mapping": [mapping(index) for index in indexes]}
    with pytest.raises(exception.InvalidInput, match=f"there are {indexes.count(0)}"):
        volume(info)


def test_no_block_devices():
    """Nova may say nothing at all."""
    with pytest.raises(exception.InvalidInput, match="there are 0"):
        volume(None)


def test_another_type():
    """A boot volume by iSCSI is refused, saying what to choose; elsewhere it has no handler."""
    with pytest.raises(exception.InvalidInput, match="reached by iscsi"):
        volume({"block_device_mapping": [mapping(0, "iscsi")]})
    with pytest.raises(exception.VolumeDriverNotFound, match="iscsi"):
        check({"driver_volume_type": "iscsi"})


def test_zones():
    """Only paths that Cinder zoned, in the order of the partition's ports."""
    zoned = of(initiator_target_map={f"0x{SECOND.upper()}": [OTHER], FIRST: [TARGET]}, target_lun=1)
    assert paths(zoned, [FIRST, SECOND]) == [
        Path(FIRST, TARGET, "0001000000000000"),
        Path(SECOND, OTHER, "0001000000000000"),
    ]


def test_no_zones():
    """A driver that says nothing of zones reaches all targets from all ports."""
    assert [one[:2] for one in paths(of(target_wwn=[TARGET, OTHER]), [FIRST, SECOND])] == [
        (FIRST, TARGET),
        (FIRST, OTHER),
        (SECOND, TARGET),
        (SECOND, OTHER),
    ]


def test_one_target_as_text():
    """Some drivers name one target without a list around it."""
    assert paths(of(target_wwn=TARGET, target_lun=2), [FIRST]) == [
        Path(FIRST, TARGET, "0002000000000000")
    ]


def test_ignored_targets():
    """An ignored target is skipped, whatever its case; the next takes its place."""
    found = paths(of(target_wwn=[TARGET, OTHER]), [FIRST], ignored=[f"0x{TARGET.upper()}"])
    assert [one.target for one in found] == [OTHER]


def test_boot_adapter_not_zoned():
    """If Cinder did not zone the first port, the next one boots."""
    zoned = of(initiator_target_map={SECOND: [TARGET]}, target_lun=0)
    assert paths(zoned, [FIRST, SECOND])[0].initiator == SECOND


def test_luns_of_targets():
    """A volume may have another LUN behind each target."""
    found = paths(of(target_wwns=[TARGET, OTHER], target_luns=[3, 4]), [FIRST])
    assert [one.lun for one in found] == ["0003000000000000", "0004000000000000"]


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"target_wwn": [TARGET]},
        {"initiator_target_map": {"c05076ffe5999999": [OTHER]}},
        {"initiator_target_map": {FIRST: [TARGET]}},
    ],
)
def test_no_path(data: dict[str, object]):
    """Where no path is left, the error says what there was, and what was ignored."""
    with pytest.raises(exception.InvalidVolume, match=f"ports are {FIRST}.*takes away {TARGET}"):
        paths(of(**data), [FIRST], ignored=[TARGET])
