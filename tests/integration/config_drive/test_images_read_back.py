"""Images of any files within the limits are read back equal by programs that are not ours."""

import tempfile
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firstlight.config_drive import FORMATS, Unwritable, image, write
from fuzz.counts import tries
from support.guests import drives

EVERY_FORM = pytest.mark.parametrize("form", FORMATS)

# What a name may be made of, and what it takes to be near the limits.
_CHARACTERS = st.characters(
    max_codepoint=0xFFFF, exclude_categories=["C"], exclude_characters='"*/:;<>?\\|'
)
_PLAIN = st.sampled_from("abzABZ019._-~+ ")
_NAME = st.one_of(
    st.text(_PLAIN, min_size=1, max_size=64), st.text(_CHARACTERS, min_size=1, max_size=64)
)
_DIRECTORY = st.sampled_from(["", "openstack/", "a b/é/", "a b/É.d/x/", "1/2/3/4/5/6/"])
_PATH = st.builds(str.__add__, _DIRECTORY, _NAME)
_CONTENT = st.one_of(
    st.binary(max_size=40),
    st.integers(0, 3).flatmap(lambda n: st.integers(-1, 1).map(lambda m: b"x" * (2048 * n + m))),
)
_DRIVE = {
    **{f"openstack/{version}/meta_data.json": b"{}" for version in ("2012-08-10", "latest")},
    "openstack/content/0000": bytes(100_000),
    "openstack/latest/user_data": b"",
    "ec2/latest/meta-data.json": b"{}",
}


def readable(files: Mapping[str, bytes], form: str) -> bool:
    """Whether they are within the limits; what those are, tests/unit/config_drive says."""
    try:
        image(files, form, epoch=0)
    except Unwritable:
        return False
    return True


def read_back(files: Mapping[str, bytes], form: str) -> None:
    """Write them, and have every reader say the same."""
    with tempfile.TemporaryDirectory() as home:
        made = Path(home, "image")
        write(image(files, form, epoch=1_700_000_000).chunks(), made)
        for reader in drives.READERS[form]:
            copy = Path(home, reader.__name__)
            copy.mkdir()
            assert reader(made, copy) == files, reader.__name__


@EVERY_FORM
@tries(25, 2000)
@given(drawn=st.dictionaries(_PATH, _CONTENT, min_size=12, max_size=40))
def test_any_files_are_read_back(form: str, drawn: dict[str, bytes]) -> None:
    """Names of every length and script, contents of every size, down to seven levels."""
    files: dict[str, bytes] = {}
    for path, content in drawn.items():
        more = {**files, path: content}
        files = more if readable(more, form) else files
    read_back(files, form)


@EVERY_FORM
@pytest.mark.parametrize(
    "files",
    [
        {},
        _DRIVE,
        {f"d/{number:04}": str(number).encode() for number in range(2000)},
        {f"{number:02}/{number:02}/{number:02}": b"" for number in range(60)},
        {f"d/{'é' * 60}{number}": b"x" for number in range(100)},
        {f"d/{'x' * length}": bytes(length) for length in range(1, 65)},
        {"a/b/c/d/e/f/g": b"deep"},
        {"d/_000001": b"taken", "d/\u00e9": b"numbered"},
    ],
    ids=["none", "drive", "many", "directories", "long", "lengths", "deep", "numbers"],
)
def test_these_files_are_read_back(form: str, files: dict[str, bytes]) -> None:
    """Directories of many sectors, long names in other scripts, nothing at all."""
    read_back(files, form)


@EVERY_FORM
def test_a_guest_finds_it_by_its_label(form: str, tmp_path: Path) -> None:
    """As blkid says it, in the guest's udev and in cloud-init."""
    write(image(_DRIVE, form, epoch=0).chunks(), tmp_path / "image")
    assert drives.label(tmp_path / "image") == "config-2"


@pytest.mark.parametrize("option", ["-R", "-J"])
def test_isoinfo_lists_the_drive(option: str, tmp_path: Path) -> None:
    """By Rock Ridge and by Joliet."""
    write(image(_DRIVE, "iso9660", epoch=0).chunks(), tmp_path / "image")
    found = drives.listed(tmp_path / "image", option)
    assert {f"/{path}" for path in _DRIVE} <= set(found)


def test_a_reader_that_knows_no_extension_reads_it(tmp_path: Path) -> None:
    """By the names that genisoimage gives for Nova."""
    write(image(_DRIVE, "iso9660", epoch=0).chunks(), tmp_path / "image")
    (tmp_path / "copy").mkdir()
    read = drives.plain(tmp_path / "image", tmp_path / "copy")
    assert read == {path.replace("-", "_"): content for path, content in _DRIVE.items()}
