"""What an image may hold, and that the same input gives the same bytes."""

import base64
import gzip
import hashlib
from collections.abc import Mapping

import pytest

from firstlight.config_drive import FORMATS, LIMIT, Unwritable, for_ironic, image

FILES: Mapping[str, bytes] = {
    "openstack/latest/meta_data.json": b"{}",
    "ec2/latest/user-data": b"x",
}
EVERY_FORM = pytest.mark.parametrize("form", FORMATS)


def made(form: str, files: Mapping[str, bytes] = FILES, epoch: int = 1) -> bytes:
    """All of an image."""
    return b"".join(image(files, form, epoch=epoch).chunks())


@EVERY_FORM
def test_the_same_input_gives_the_same_bytes(form: str) -> None:
    """In whatever order the files are named; another time is another image."""
    assert made(form) == made(form, dict(reversed([*FILES.items()])))
    assert made(form, epoch=2**31) != made(form)


@EVERY_FORM
def test_the_size_is_what_was_said(form: str) -> None:
    """A disc is whole sectors and as large as its files; a disk is always 64 MiB."""
    content = made(form)
    assert len(content) == image(FILES, form, epoch=1).size
    assert len(content) % 2048 == 0
    assert (len(content) == LIMIT) == (form == "vfat")


def test_equal_files_are_stored_once() -> None:
    """User data stands in thirteen directories of a drive."""
    files = {f"openstack/{number}/user_data": b"u" * 40_000 for number in range(13)}
    assert len(made("iso9660", files)) < 200_000


@EVERY_FORM
def test_ironic_takes_gzip_in_base64(form: str) -> None:
    """One line, which gives the image back; the same bytes each time."""
    chunks = image(FILES, form, epoch=1).chunks
    packed = b"".join(for_ironic(chunks()))
    assert gzip.decompress(base64.b64decode(packed, validate=True)) == made(form)
    assert b"".join(for_ironic(chunks())) == packed
    assert len(packed) < 100_000


@EVERY_FORM
def test_a_drive_has_a_largest_size(form: str) -> None:
    """Content that just does not fit is refused with the limit; nothing is cut."""
    with pytest.raises(Unwritable, match=str(LIMIT)):
        image({"a": bytes(LIMIT)}, form, epoch=1)


@EVERY_FORM
def test_it_can_be_filled(form: str) -> None:
    """To all but what the tables and directories take."""
    content = hashlib.sha256(b"").digest() * ((LIMIT - 200_000) // 32)
    assert content in made(form, {"a": content})


@EVERY_FORM
@pytest.mark.parametrize("epoch", [-1, 2**32])
def test_times_are_bounded(form: str, epoch: int) -> None:
    """1970 to 2106."""
    with pytest.raises(ValueError, match=f"the time {epoch} is not from 0 to 4294967295"):
        image(FILES, form, epoch=epoch)
    assert made(form, epoch=0)
    assert made(form, epoch=2**32 - 1)


def test_there_are_two_forms() -> None:
    """Nova's."""
    with pytest.raises(ValueError, match="a config drive is iso9660 or vfat, not ext4"):
        image(FILES, "ext4", epoch=1)


@EVERY_FORM
@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("", "is empty"),
        ("/a", "is empty"),
        ("a//b", "is empty"),
        ("a/", "is empty"),
        ("a/../b", "ends with a dot"),
        ("./a", "ends with a dot"),
        ("a.", "ends with a dot"),
        (" a", "begins or ends with a space"),
        ("a b ", "begins or ends with a space"),
        ("a:b", "a character that Windows forbids"),
        ("a\\b", "a character that Windows forbids"),
        ("a;1", "a character that Windows forbids"),
        ("a\nb", "a character that Windows forbids"),
        ("a\0b", "a character that Windows forbids"),
        ("x" * 65, "longer than 64 characters or 128 bytes"),
        ("\u20ac" * 43, "longer than 64 characters or 128 bytes"),
        ("\U0001f310", "outside Unicode's basic plane"),
        ("\ud800", "outside Unicode's basic plane"),
        ("a/b/c/d/e/f/g/h", "more than 7 levels deep"),
        (f"{'x' * 60}/{'y' * 60}", "longer than 120 characters"),
    ],
)
def test_names_that_a_guest_might_not_read_are_refused(form: str, path: str, reason: str) -> None:
    """The message says which, and why."""
    with pytest.raises(Unwritable, match=reason):
        image({path: b""}, form, epoch=1)


@EVERY_FORM
@pytest.mark.parametrize(
    ("paths", "reason"),
    [
        (("a", "a/b"), "a is a file"),
        (("a/b", "a"), "a directory has that name"),
        (("a/b", "A/c"), "'a' and 'A' differ by case alone"),
        (("x/\u00fc", "x/\u00dc"), "differ by case alone"),
    ],
)
def test_names_that_a_guest_might_confuse_are_refused(
    form: str, paths: tuple[str, str], reason: str
) -> None:
    """A disk knows no case, and no name has two things."""
    with pytest.raises(Unwritable, match=reason):
        image(dict.fromkeys(paths, b""), form, epoch=1)


def test_a_fat_has_512_names_in_its_root() -> None:
    """A disc has no such limit."""
    files = {f"{number:06}": b"" for number in range(300)}
    assert made("iso9660", files)
    with pytest.raises(Unwritable, match="root directory"):
        image(files, "vfat", epoch=1)


def test_no_secret_is_in_its_repr() -> None:
    """An image may end in a traceback."""
    assert repr(image({"a": b"secret"}, "iso9660", epoch=1)) == "Image(53248 bytes)"
