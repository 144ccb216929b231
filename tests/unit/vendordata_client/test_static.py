"""StaticJSON: the file as it is now, or as it last was when it was good."""

import logging
import os
from pathlib import Path
from threading import Thread

import pytest

from firstlight.vendordata_client import StaticJSON, StaticUnavailable


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "vendor.json"
    path.write_text('{"ldap": "10.0.0.1"}')
    return path


def long_after() -> float:
    """A clock by which every file has had its stamp for long."""
    return 4e9


def test_no_file_is_an_empty_object() -> None:
    """Without a path the value is {}, and nothing is wrong with it."""
    static = StaticJSON(None)
    assert static.value() == {}
    assert static.problem() is None


@pytest.mark.parametrize("text", ["[1, 2]", '"#cloud-config"', "null", "7", "{}"])
def test_any_json_type(file: Path, text: str) -> None:
    """Any JSON value may be in the file."""
    file.write_text(text)
    expected = {"[1, 2]": [1, 2], '"#cloud-config"': "#cloud-config", "null": None, "7": 7}
    assert expected.get(text, {}) == StaticJSON(str(file)).value()


def test_an_edit_shows(file: Path) -> None:
    """A changed file is read again, even one that is as long and as new as it was."""
    static = StaticJSON(str(file))
    before = file.stat()
    assert static.value() == {"ldap": "10.0.0.1"}
    file.write_text('{"ldap": "10.0.0.2"}')
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert static.value() == {"ldap": "10.0.0.2"}


def test_a_settled_file_is_parsed_once(file: Path) -> None:
    """A file that has not changed for some seconds is not parsed again."""
    static = StaticJSON(str(file), clock=long_after)
    assert static.value() is static.value()


def test_a_replaced_file_shows_once_settled(file: Path) -> None:
    """A file moved into the place of a settled one is read."""
    static = StaticJSON(str(file), clock=long_after)
    static.value()
    new = file.with_suffix(".new")
    new.write_text('{"ldap": "10.0.0.3"}')
    new.replace(file)
    assert static.value() == {"ldap": "10.0.0.3"}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "No such file or directory"),
        (b"", "the file is empty"),
        (b"  \n", "the file is empty"),
        (b"{ldap: 1}", "not JSON: Expecting property name"),
        (b'"\xff"', "can't decode byte 0xff"),
        (b"[" * 100_000, "nested too deeply"),
    ],
)
def test_never_good(file: Path, content: bytes | None, reason: str) -> None:
    """With nothing known, a file that cannot be read is an error that names file and reason."""
    if content is None:
        file.unlink()
    else:
        file.write_bytes(content)
    static = StaticJSON(str(file))
    with pytest.raises(StaticUnavailable, match=reason) as raised:
        static.value()
    assert str(file) in str(raised.value)
    assert reason in (static.problem() or "")


def test_a_directory_is_no_file(tmp_path: Path) -> None:
    """What cannot be read at all is named like the rest."""
    with pytest.raises(StaticUnavailable, match="Is a directory"):
        StaticJSON(str(tmp_path)).value()


def test_last_good_is_kept(file: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A broken version never replaces a good one; it is warned about once per change."""
    static = StaticJSON(str(file))
    good = static.value()
    file.write_text('{"ldap": ')
    assert good == static.value() == static.value()
    assert "not JSON" in (static.problem() or "")
    assert len(caplog.records) == 1
    file.unlink()
    assert good == static.value() == static.value()
    assert "No such file" in (static.problem() or "")
    assert [record.levelno for record in caplog.records] == [logging.WARNING] * 2
    assert "its last good version is served" in caplog.text


def test_recovery(file: Path) -> None:
    """A file that is good again is served again, and no problem is left."""
    static = StaticJSON(str(file))
    static.value()
    file.write_text("nonsense")
    static.value()
    file.write_text("[3]")
    assert static.value() == [3]
    assert static.problem() is None


def test_unavailable_first_good_later(file: Path) -> None:
    """A service that started before its file existed serves it as soon as it does."""
    file.unlink()
    static = StaticJSON(str(file))
    with pytest.raises(StaticUnavailable):
        static.value()
    file.write_text("[4]")
    assert static.value() == [4]


def test_many_threads(file: Path) -> None:
    """Threads that ask while the file is replaced see one whole version or another."""
    static = StaticJSON(str(file))
    seen: list[object] = []
    threads = [Thread(target=lambda: seen.append(static.value())) for _ in range(8)]
    for number, thread in enumerate(threads):
        new = file.with_suffix(".new")
        new.write_text(f'{{"ldap": "10.0.0.{number}"}}')
        new.replace(file)
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 8
    assert all(isinstance(value, dict) and set(value) == {"ldap"} for value in seen)
