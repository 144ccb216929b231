"""tools/hermetic: what is left on a machine is not seen, and nothing is left on it."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import hermetic_binds
import pytest

from support.parts import absent
from support.servers.databases import eventually

ROOT = Path(__file__).parents[3]
HERMETIC = ROOT / "tools" / "hermetic"
TOKEN = uuid4().hex[:8]


def run(*words: str, ci: str = "true", **more: object) -> subprocess.CompletedProcess[str]:
    """What became of ``tools/hermetic`` with these words."""
    return subprocess.run(  # type: ignore[call-overload,no-any-return]
        [HERMETIC, *words],
        env=os.environ | {"CI": ci},
        capture_output=True,
        text=True,
        timeout=300,
        **more,
    )


def shell(script: str, *options: str) -> list[str]:
    """The lines that a shell inside prints; it succeeds."""
    if os.geteuid() != 0:
        absent("tools/hermetic mounts: only root may")
    done = run(*options, "sh", "-euc", script)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.fixture
def planted() -> Iterator[list[Path]]:
    """What somebody left by hand on the machine, wherever a service or a tool may look."""
    paths = [
        *(Path(f"/etc/{name}.{TOKEN}/fernet-keys/0") for name in ("keystone", "firstlight")),
        Path(f"/etc/nova.{TOKEN}"),
        *(Path(f"/var/{place}/neutron-{TOKEN}/x") for place in ("lib", "log")),
        *(Path(f"{place}/{TOKEN}/x") for place in ("/root", "/tmp", "/var/tmp", "/var/cache")),
        *(Path(f"{place}/{TOKEN}/x") for place in ("/home", "/opt", "/usr/local", "/dev/shm")),
    ]
    if os.geteuid() != 0:
        absent("only root may leave something in /etc")
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(TOKEN)
    yield paths
    for path in paths:
        path.unlink()
        for parent in path.parents:
            if TOKEN in parent.name or parent.name == "fernet-keys":
                parent.rmdir()


def test_leftovers(planted):
    """None of them is seen."""
    tests = "\n".join(f"test ! -e {path} || echo {path}" for path in planted)
    assert shell(tests) == []
    assert all(path.exists() for path in planted)


def test_nothing_stays(tmp_path):
    """But what is written into the clone, or where --leave says: files, mounts, processes and
    network namespaces are gone, and loop devices on files that are.
    """
    if os.geteuid() != 0:
        absent("only root may attach a loop device")
    script = f"""
    for folder in /etc /usr/lib /root /tmp /var/lib /run /dev/shm "{ROOT}"; do
        echo x >$folder/left-{TOKEN}
    done
    ! echo x 2>&- >/dev/left-{TOKEN}
    echo kept >{tmp_path}/kept
    ip netns add left-{TOKEN}
    truncate --size 1M /tmp/image /etc/image
    losetup --find --show /tmp/image
    losetup --find --show /etc/image
    losetup --find --show /tmp/left-{TOKEN}
    rm /tmp/image
    mount -t tmpfs tmpfs /mnt
    sleep 1234.{int(TOKEN, 16)} >/dev/null 2>&1 &
    test ! -e /dev/kvm || echo x | head -c 0 >/dev/kvm
    """
    loops = shell(script, "--leave", str(tmp_path))
    assert (tmp_path / "kept").read_text() == "kept\n"
    assert (ROOT / f"left-{TOKEN}").read_text() == "x\n"
    (ROOT / f"left-{TOKEN}").unlink()
    for folder in ("/etc", "/usr/lib", "/root", "/tmp", "/var/lib", "/run", "/dev/shm", "/dev"):
        assert not Path(folder, f"left-{TOKEN}").exists()
    assert TOKEN not in subprocess.run(["ip", "netns"], capture_output=True, text=True).stdout
    assert len(loops) == 3
    for loop in loops:
        backing = Path("/sys/block", Path(loop).name, "loop/backing_file")
        assert not backing.exists() or "image" not in backing.read_text()
    assert not _processes(f"1234.{int(TOKEN, 16)}")
    assert not list(Path("/var/tmp").glob(f"firstlight-hermetic-*/{TOKEN}"))


def test_the_clone(tmp_path):
    """What git ignores is empty, so environments are built inside; variables are few."""
    folder = ROOT / ".cache"  # git ignores it
    made = not folder.exists()
    folder.mkdir(exist_ok=True)
    (folder / TOKEN).touch()
    try:
        assert shell(f"ls -A {folder}; pwd; test -f {ROOT}/Makefile") == [str(Path.cwd())]
    finally:
        (folder / TOKEN).unlink()
        if made:
            folder.rmdir()
    names = {line.split("=")[0] for line in shell("env")}
    assert {"PATH", "HOME", "CI"} <= names
    assert not {"FIRSTLIGHT_LAB", "FIRSTLIGHT_CACHE", "PYTEST_CURRENT_TEST"} & names


def test_exit_code():
    """It is the command's; no command at all is an error."""
    if os.geteuid() != 0:
        absent("tools/hermetic mounts: only root may")
    assert run("sh", "-c", "exit 7").returncode == 7
    assert run("sh", "-c", "kill -9 $$").returncode == 137
    assert run("no-such-program").returncode == 127
    assert run().returncode == 2


def test_ended_early(tmp_path):
    """SIGTERM reaches the command, and whatever it has started ends with it."""
    if os.geteuid() != 0:
        absent("tools/hermetic mounts: only root may")
    mark = f"4321.{int(TOKEN, 16)}"
    script = f"sleep {mark} & echo up; trap 'echo told; exit 3' TERM; wait"
    with subprocess.Popen([HERMETIC, "sh", "-c", script], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"up\n"
        time.sleep(0.1)  # until the trap is there
        process.send_signal(signal.SIGTERM)
        assert process.communicate(timeout=60)[0] == b"told\n"
        assert process.returncode == 3
    assert eventually(lambda: not _processes(mark), 10)


def test_where_it_is_not_allowed():
    """It says so and runs the command without; with CI=true it does not run it."""
    other: dict[str, Any] = (
        {"user": 65534, "group": 65534, "extra_groups": []} if os.geteuid() == 0 else {}
    )
    command = ("sh", "-c", "echo ran")
    if subprocess.run([HERMETIC], capture_output=True, **other).returncode == 126:
        absent("another user may not read this clone")
    done = run(*command, ci="", **other)
    assert (done.returncode, done.stdout) == (0, "ran\n")
    assert "NOT HERMETIC: only root may mount" in done.stderr
    done = run(*command, **other)
    assert (done.returncode, done.stdout) == (125, "")


def test_how_the_registries_are_reached(tmp_path, monkeypatch):
    """Settings are found, and the files and folders that these and variables name."""
    home, index = tmp_path / "home", tmp_path / "packages"
    pip = home / ".config" / "pip" / "pip.conf"
    for folder in (pip.parent, index / "simple", tmp_path / "wheels", tmp_path / "elsewhere"):
        folder.mkdir(parents=True)
    bundle, constraints = tmp_path / "ca.pem", tmp_path / "constraints.txt"
    bundle.touch()
    constraints.touch()
    pip.write_text(f"[global]\nconstraint={constraints}\nextra-index-url = file://{index}/simple\n")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("SSL_CERT_FILE", str(bundle))
    monkeypatch.setenv("PIP_FIND_LINKS", f"{tmp_path}/wheels https://example.org{tmp_path}/no")
    monkeypatch.setenv("FIRSTLIGHT_CACHE", f"{tmp_path}/elsewhere")
    found = hermetic_binds.find(ROOT, [tmp_path], foreign=False)
    assert {str(pip), str(bundle), str(constraints)} <= set(found.copied)
    assert {str(index), f"{tmp_path}/wheels"} <= set(found.readable)
    assert f"{tmp_path}/elsewhere" not in found.readable


def _processes(word: str) -> list[Path]:
    """Those with that word in their command."""
    found = []
    for each in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if word in each.read_text().split("\0"):
                found.append(each)
        except OSError:
            continue
    return found
