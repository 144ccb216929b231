"""NICs on a z13's kernel command line."""

from firstlight_dpm.compute.command_line import (
    LIMIT,
    devnos,
    item,
    room,
    with_nic,
    without_nic,
    without_others,
)

MAC = "0a:00:00:00:00:11"


def test_item():
    """The form that the guest's tools read, with the adapter's port."""
    assert item("0001", 0, MAC) == "0001,0,0a0000000011;"
    assert item("000A", 1, "FA:16:3E:00:00:01") == "000a,1,fa163e000001;"


def test_added_to_nothing_and_to_something():
    """What the parameters say already stays."""
    assert with_nic("", "0001", 0, MAC) == " 0001,0,0a0000000011;"
    assert with_nic("quiet", "0001", 0, MAC) == "quiet 0001,0,0a0000000011;"


def test_said_once():
    """A NIC that is said again takes its old place away, whatever the case of its number."""
    twice = with_nic(with_nic("quiet", "000A", 0, MAC), "000a", 0, "0a:00:00:00:00:22")
    assert twice == "quiet 000a,0,0a0000000022;"


def test_taken_away():
    """Only the NIC's own item goes, not what looks like one."""
    said = with_nic(with_nic("root=UUID=aa0001bb", "0001", 0, MAC), "0004", 0, MAC)
    assert without_nic(said, "0001") == "root=UUID=aa0001bb 0004,0,0a0000000011;"
    assert without_nic(said, "0007") == said
    assert without_nic("10001,0,0a0000000011;", "0001") == "10001,0,0a0000000011;"


def test_what_is_no_item_stays():
    """Only what the guest's tools would read is an item, and words next to it stay words."""
    for said in ("x=0001,0,0a0000000011;", "0001,0,0a0000000011", "0001,2,0a0000000011;"):
        assert without_nic(said, "0001") == without_others(said, ()) == said
        assert devnos(said) == set()
    assert without_nic("quiet 0001,0,0a0000000011;ro", "0001") == "quiet ro"
    assert without_nic("ro;0001,0,0a0000000011; quiet", "0001") == "ro; quiet"


def test_others_taken_away():
    """What is said of other NICs goes, whatever the case of their numbers; the rest stays."""
    said = "quiet 0001,0,0a0000000011; 000A,1,0a0000000022;0007,0,0a0000000033; ro"
    assert devnos(said) == {"0001", "000a", "0007"}
    assert without_others(said, devnos(said)) == said
    assert without_others(said, {"000a"}) == "quiet 000A,1,0a0000000022; ro"
    assert without_others(said, ()).split() == ["quiet", "ro"]


def test_room():
    """Twelve NICs fit, and fewer beside something else."""
    assert room("") == 12
    full = ""
    for number in range(12):
        full = with_nic(full, f"{number:04x}", 0, MAC)
    assert len(full) <= LIMIT
    assert room(full) == 0
    assert room("quiet") == 11
    assert room("x" * 300) == 0
