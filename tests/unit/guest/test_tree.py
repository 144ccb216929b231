"""Files below a root: no link leads out, and nobody who renames meanwhile leads anybody out."""

import ctypes
import errno
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from firstlight_guest import imaging, installing, tree
from firstlight_guest.machine import Machine

from support.parts import absent

ROUNDS = 100  # of a race
_HERE, _EXCHANGE = -100, 2  # AT_FDCWD, RENAME_EXCHANGE


@pytest.fixture
def host(tmp_path: Path) -> Path:
    """Directories that are not the image's, with a file that must stay in each."""
    for name in ("tmp", "ssh", "systemd", "etc"):
        directory = tmp_path / "host" / name
        directory.mkdir(parents=True)
        (directory / "ssh_host_rsa_key").write_text("the host's")
        (directory / "machine-id").write_text("the host's")
    return tmp_path / "host"


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """An image's tree."""
    root = tmp_path / "image"
    for name in ("etc", "var/lib", "usr/lib"):
        (root / name).mkdir(parents=True)
    return root


def files(top: Path) -> dict[str, str]:
    """Every file below a directory, with what it says."""
    return {str(path): path.read_text() for path in top.rglob("*") if path.is_file()}


def test_links_stay_in_the_image(image: Path, host: Path) -> None:
    """Directories of an image that are links to the host's: nothing there is deleted or made."""
    before = files(host)
    (image / "var/tmp").symlink_to(host / "tmp")
    (image / "etc/ssh").symlink_to("../" * 20 + str(host / "ssh"))
    (image / "usr/lib/systemd").symlink_to(host / "systemd")
    (image / "etc/machine-id").symlink_to(host / "etc/machine-id")
    (image / "etc/zfcp.conf").symlink_to(host / "etc/machine-id")
    (image / imaging._ZEROS.lstrip("/")).symlink_to(host / "etc/machine-id")
    machine = Machine(str(image))
    imaging.clean(machine)
    with suppress(Exception):  # the programs are missing
        imaging.initramfs(machine)
    installing.install(machine, "dpm")
    machine.store("/etc/machine-id", b"new")
    assert files(host) == before
    assert (image / "etc/machine-id").read_text() == "new"
    assert not (image / "etc/machine-id").is_symlink()


def test_links_lead_to_the_images_own(image: Path) -> None:
    """An absolute link in an image means the image's directory, and what is there is cleaned."""
    (image / "tmp").mkdir()
    (image / "tmp/left").write_text("")
    (image / "var/tmp").symlink_to("/tmp")
    (image / "run").mkdir()
    (image / "run/chain").symlink_to("/../../var/./tmp")
    machine = Machine(str(image))
    assert machine.names("/run/chain") == ["left"]
    assert machine.real("/run/chain/left") == "/tmp/left"
    assert "/var/tmp/left" in imaging.clean(machine)
    assert list((image / "tmp").iterdir()) == []


def test_too_many_links(image: Path) -> None:
    """41 links in a name are refused, 40 are followed, and a loop ends."""
    (image / "l0").mkdir()
    for number in range(1, 42):
        (image / f"l{number}").symlink_to(f"l{number - 1}")
    (image / "loop").symlink_to("loop")
    machine = Machine(str(image))
    assert machine.exists("/l40/.")
    for name in ("/l41", "/loop", "/loop/x"):
        assert not machine.exists(name)
        with pytest.raises(OSError, match="symbolic links") as refused:
            machine.store(f"{name}/file", b"")
        assert refused.value.errno == errno.ELOOP


def test_only_regular_entries_are_touched(image: Path, tmp_path: Path) -> None:
    """A pipe holds nothing up; a link is deleted and not what it leads to; nothing is left."""
    os.mkfifo(image / "etc/zfcp.conf")
    machine = Machine(str(image))
    assert machine.read_or("/etc/zfcp.conf", "") == ""
    assert installing.put(machine, "/etc/zfcp.conf", b"") == ["/etc/zfcp.conf"]
    outside = tmp_path / "outside"
    outside.write_text("stays")
    (image / "var/lib/cloud/deep/deeper").mkdir(parents=True)
    (image / "var/lib/cloud/deep/deeper/link").symlink_to(outside)
    imaging.clean(machine)
    assert outside.read_text() == "stays"
    assert list((image / "var/lib/cloud").iterdir()) == []
    assert [path.name for path in image.rglob(".firstlight-*")] == []


def test_a_file_that_cannot_be_put_leaves_nothing(image: Path) -> None:
    """Where a directory has the name, it stays, and no other file does."""
    (image / "etc/motd/kept").mkdir(parents=True)
    with pytest.raises(OSError):
        Machine(str(image)).store("/etc/motd", b"new")
    assert sorted(path.name for path in (image / "etc").iterdir()) == ["motd"]


@contextmanager
def swapping(directory: Path, host: Path) -> Iterator[None]:
    """A directory and a link to the host's exchange their names all the time: renameat2(2)."""
    link = directory.with_name("link")
    link.symlink_to(host)
    names = (_HERE, os.fsencode(directory), _HERE, os.fsencode(link), _EXCHANGE)
    exchange = ctypes.CDLL(None, use_errno=True).renameat2
    if exchange(*names) != 0:
        absent("this file system does not exchange names")
    ended = threading.Event()

    def swap() -> None:
        while not ended.is_set():
            exchange(*names)

    thread = threading.Thread(target=swap)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def test_a_race_of_renames(image: Path, host: Path) -> None:
    """While a directory of the image becomes a link to the host's and back, nothing of the host is
    written, read or deleted."""
    before = files(host)
    machine = Machine(str(image))
    ssh = image / "etc/ssh"
    ssh.mkdir()
    done = {"put": 0, "remove": 0, "read": 0}
    with swapping(ssh, host / "ssh"):
        for number in range(ROUNDS):
            for name, work in (
                ("put", lambda n=number: machine.store("/etc/ssh/ssh_host_rsa_key", b"%d" % n)),
                ("read", lambda: machine.read("/etc/ssh/ssh_host_rsa_key")),
                ("remove", lambda: imaging._remove(machine, "/etc/ssh/ssh_host_rsa_key")),
            ):
                with suppress(OSError):
                    said = work()
                    assert said != "the host's"
                    done[name] += 1
    assert files(host) == before
    assert min(done.values()) > 0, done


def test_a_root_that_is_a_link(tmp_path: Path, image: Path) -> None:
    """The root itself is the caller's word, and may be a link."""
    link = tmp_path / "link"
    link.symlink_to(image)
    with tree.hold(str(link), "/etc/new", create=True) as held:
        held.put(b"x", 0o640)
    assert (image / "etc/new").stat().st_mode & 0o777 == 0o640
