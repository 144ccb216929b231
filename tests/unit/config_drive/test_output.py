"""Images appear whole or not at all, and nobody else may ever read them."""

import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from firstlight.config_drive import output, write


@pytest.fixture(params=["no name", "hidden name"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """With a file system that can hide a file until it is whole, and with one that cannot."""
    if request.param == "hidden name":
        monkeypatch.setattr(output, "_OWN_FILES", "/proc/nonexistent")
    return str(request.param)


@pytest.fixture(autouse=True)
def open_umask() -> Iterator[None]:
    """The mode must not depend on it."""
    before = os.umask(0)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    """Permissions of a file."""
    return stat.S_IMODE(path.stat().st_mode)


def test_it_is_written_whole(way: str, tmp_path: Path) -> None:
    """All bytes, holes and a hole at the end among them, readable by the owner alone."""
    target = tmp_path / "disk.config"
    write(iter([b"a", bytes(10_000), b"b", bytes(5), bytes(100_000)]), target)
    assert target.read_bytes() == b"a" + bytes(10_000) + b"b" + bytes(100_005)
    assert mode(target) == 0o600
    assert list(tmp_path.iterdir()) == [target]


def test_what_was_there_is_replaced(way: str, tmp_path: Path) -> None:
    """Its mode, too: an image that anybody could read is not made another such."""
    target = tmp_path / "disk.config"
    target.write_bytes(b"a longer one from before")
    target.chmod(0o644)
    write([b"new"], target)
    assert target.read_bytes() == b"new"
    assert mode(target) == 0o600


def test_a_failure_leaves_what_was_there(way: str, tmp_path: Path) -> None:
    """And nothing else."""
    target = tmp_path / "disk.config"
    target.write_bytes(b"old")

    def breaking() -> Iterator[bytes]:
        yield b"new"
        raise RuntimeError

    with pytest.raises(RuntimeError):
        write(breaking(), target)
    assert target.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [target]


def test_nothing_is_seen_before_it_is_whole(way: str, tmp_path: Path) -> None:
    """While it is written there is no such file, and what there is only its owner may read."""
    target = tmp_path / "disk.config"
    seen: list[tuple[bool, list[int]]] = []

    def watching() -> Iterator[bytes]:
        yield b"new"
        seen.append((target.exists(), [mode(path) for path in tmp_path.iterdir()]))

    write(watching(), target)
    assert seen == [(False, [] if way == "no name" else [0o600])]


def test_a_link_is_replaced(way: str, tmp_path: Path) -> None:
    """What it leads to stays as it was: another user may have made the link."""
    others = tmp_path / "others"
    others.mkdir()
    kept = others / "kept"
    kept.write_bytes(b"stays")
    for number, leads_to in enumerate((kept, others / "nothing")):
        link = tmp_path / f"link{number}"
        link.symlink_to(leads_to)
        write([b"new"], link)
        assert not link.is_symlink()
        assert link.read_bytes() == b"new"
    assert kept.read_bytes() == b"stays"
    assert [path.name for path in others.iterdir()] == ["kept"]


def test_a_directory_that_becomes_a_link(way: str, tmp_path: Path) -> None:
    """While the image is written its directory is exchanged for a link: the image is in the
    directory that it was begun in, and nothing is where the link leads."""
    begun, moved, others = (tmp_path / name for name in ("begun", "moved", "others"))
    begun.mkdir()
    others.mkdir()
    (others / "disk.config").write_bytes(b"stays")

    def exchanging() -> Iterator[bytes]:
        yield b"new"
        begun.rename(moved)
        begun.symlink_to(others)

    write(exchanging(), begun / "disk.config")
    assert [path.read_bytes() for path in moved.iterdir()] == [b"new"]
    assert [path.read_bytes() for path in others.iterdir()] == [b"stays"]


def test_only_a_file_is_replaced(way: str, tmp_path: Path) -> None:
    """A rename onto a device or a pipe would put it away."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    link = tmp_path / "link"
    link.symlink_to(pipe)
    for target in (pipe, link, tmp_path, Path("/dev/null")):
        with pytest.raises(FileExistsError, match="not a regular file"):
            write([b"new"], target)
    assert pipe.is_fifo()
    assert link.is_symlink()


def test_a_long_name_is_no_obstacle(way: str, tmp_path: Path) -> None:
    """What is added to it for a while does not make it too long."""
    target = tmp_path / ("x" * 255)
    write([b"new"], target)
    assert target.read_bytes() == b"new"


_KILLED = """
import os, sys
from pathlib import Path
from firstlight.config_drive import output, write
if sys.argv[2] == "hidden name":
    output._OWN_FILES = "/proc/nonexistent"
def chunks():
    yield b"new" * 100_000
    print("half", flush=True)
    sys.stdin.read()
write(chunks(), Path(sys.argv[1]))
"""


@pytest.mark.parametrize("way", ["no name", "hidden name"])
def test_a_kill_leaves_no_half_file(way: str, tmp_path: Path) -> None:
    """kill -9 midway: the old image is whole, and no other file holds a part of the new one.

    Where the file system cannot hide a file, one with a hidden name stays, for its owner alone.
    """
    target = tmp_path / "disk.config"
    target.write_bytes(b"old")
    command = [sys.executable, "-c", _KILLED, str(target), way]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"half\n"
        process.kill()
        assert process.wait(60) == -signal.SIGKILL
    assert target.read_bytes() == b"old"
    others = [path for path in tmp_path.iterdir() if path != target]
    assert [path.name[0] for path in others] == ([] if way == "no name" else ["."])
    assert all(mode(path) == 0o600 for path in others)
