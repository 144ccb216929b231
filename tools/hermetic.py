"""Run a command as on a machine that has only Debian's packages, and leave nothing behind.

``tools/hermetic [--leave PATH]… [--root DIRECTORY] COMMAND…``, as root. The command has its own
mounts and processes. It sees an overlay of this machine's file systems in which the folders of
OpenStack's and our services, home folders, temporary folders, /opt, /usr/local and all caches are
empty (:data:`EMPTY`, :data:`SERVICES`), and few variables (:data:`VARIABLES`). What it writes is
gone afterwards, and so are its processes, mounts, named network namespaces and loop devices.

Shared with the machine: the network, the kernel's settings, devices, and by name

* the clone that this file is in, writable; what git ignores there is empty;
* ``--leave PATH``: an existing folder, writable;
* ``../shared`` beside the clone, and interpreters that are no Debian package, read-only;
* what reaches the registries: settings of pip, npm and apt, certificates, package folders that
  these name. Settings are copies.

With ``--root``, DIRECTORY takes the place of this machine's file systems: an empty Debian made by
mmdebstrap, say, which gets the same.

The exit code is the command's. Where the kernel does not allow it, that is said on standard error,
and the command runs without; with ``CI=true``, exit code 125 in its place.
"""

import argparse
import fcntl
import json
import os
import re
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

import hermetic_binds
from hermetic_binds import within

CLONE = Path(__file__).resolve().parent.parent
NOT_ALLOWED = 125

EMPTY = tuple(map(Path, ("/root", "/home", "/tmp", "/var/tmp", "/opt", "/srv", "/usr/local")))
# Their folders and files in PLACES are not there at all.
SERVICES = re.compile(
    r"(nova|neutron|keystone|glance|cinder|placement|openstack|kolla|firstlight|pollinate|"
    r"nova-pollinate|pcss-vendor-metadata)([-_.].*)?"
)
PLACES = ("etc", "var/lib", "var/log", "var/spool", "var/run")
CACHES = "var/cache"
_KEPT_CACHE = "debconf"  # it is called one, but packages are configured by it
# An overlay on an overlay is not for every program: podman and docker get a plain folder.
STORES = ("/var/lib/containers", "/var/lib/docker", "/var/lib/machines")

# What programs are told by variables, beside what hermetic_binds.SETTINGS matches.
VARIABLES = re.compile(
    r"HOME|USER|LOGNAME|SHELL|TERM|COLUMNS|LINES|LANG|LANGUAGE|LC_.*|TZ|CI|YES|"
    r"FIRSTLIGHT_(LANES?|SOAK|SEED)|HYPOTHESIS_.*"
)
_DISKS = frozenset(
    {"ext2", "ext3", "ext4", "xfs", "btrfs", "f2fs", "zfs", "overlay", "nfs", "nfs4"}
)
_LOOP_GET_STATUS64, _LOOP_CLR_FD = 0x4C05, 0x4C01


class NotAllowed(Exception):
    """This machine does not allow it; the message says what failed."""


# -- outside ---------------------------------------------------------------------------------------


def main(arguments: Sequence[str]) -> int:
    """Run the command; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="tools/hermetic", usage="%(prog)s [--leave PATH]... [--root DIRECTORY] COMMAND..."
    )
    parser.add_argument("--leave", action="append", default=[], type=Path)
    parser.add_argument("--root", type=Path, default=Path("/"))
    parser.add_argument("command", nargs=argparse.REMAINDER)
    args = parser.parse_args(arguments)
    if not args.command:
        parser.error("which command?")
    for path in (args.root, *args.leave):
        if not path.is_dir():
            parser.error(f"{path} is no folder")
    try:
        return run_inside(args.command, args.root.resolve(), [p.resolve() for p in args.leave])
    except NotAllowed as reason:
        print(f"tools/hermetic: NOT HERMETIC: {reason}", file=sys.stderr, flush=True)
    if os.environ.get("CI") == "true" or args.root != Path("/"):
        return NOT_ALLOWED
    return subprocess.run(args.command, check=False).returncode


def run_inside(command: Sequence[str], root: Path, leave: Sequence[Path]) -> int:
    """Run it in namespaces of its own; returns its exit code.

    Raises:
        NotAllowed: the kernel refuses a namespace, a mount or a loop device.
    """
    if os.geteuid() != 0:
        raise NotAllowed("only root may mount")
    plan = {
        "command": list(command),
        "root": str(root),
        "cwd": str(Path.cwd()),
        "environ": {name: value for name, value in os.environ.items() if _is_kept(name)},
        **hermetic_binds.find(CLONE, EMPTY, foreign=root != Path("/"))._asdict(),
    }
    plan["writable"] += list(map(str, leave))
    with tempfile.TemporaryDirectory(prefix="firstlight-hermetic-", dir="/var/tmp") as directory:
        return _supervise(plan | {"room": directory})


def _is_kept(name: str) -> bool:
    return bool(VARIABLES.fullmatch(name) or hermetic_binds.SETTINGS.fullmatch(name))


def _supervise(plan: Mapping[str, Any]) -> int:
    """Start this file again as the first process of the namespaces, and wait for it.

    It tells through a pipe that it has begun, or why it cannot. What the command has left on disk
    is in a file without a name, so that it goes however this ends.
    """
    told, tell = os.pipe()
    unshare = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--propagation=private"]
    with tempfile.TemporaryFile(dir="/var/tmp") as disk, tempfile.TemporaryFile("w+") as file:
        json.dump({**plan, "disk": disk.fileno(), "tell": tell}, file)
        file.seek(0)
        process = subprocess.Popen(
            [*unshare, sys.executable, __file__, "--plan", str(file.fileno())],
            pass_fds=(disk.fileno(), tell, file.fileno()),
        )
        os.close(tell)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, lambda *_: _end(process))
        with os.fdopen(told) as pipe:
            said = pipe.read()
        code = process.wait()
    if said != "begun":
        raise NotAllowed(said or "the kernel refuses a mount or process namespace")
    return code if code >= 0 else 128 - code


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ask the first process inside to end everything; `unshare` waits for it."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    with suppress(OSError):
        for child in children.read_text().split():
            os.kill(int(child), signal.SIGTERM)


# -- inside: the first process ---------------------------------------------------------------------


def first_process(plan: Mapping[str, Any]) -> NoReturn:
    """Make the file system, run the command in it, and leave nothing."""
    tell = plan["tell"]
    try:
        rooms = _prepare(plan)
    except (NotAllowed, OSError) as reason:
        os.write(tell, f"{reason}".encode())
        sys.exit(NOT_ALLOWED)
    os.write(tell, b"begun")
    os.close(tell)
    code = _command(plan)
    # All others end; then nothing holds what was mounted, but for loop devices.
    with suppress(ProcessLookupError):
        os.kill(-1, signal.SIGKILL)
    with suppress(ChildProcessError):
        while True:
            os.wait()
    _detach_loops(rooms)
    sys.exit(code)


def _command(plan: Mapping[str, Any]) -> int:
    """Its exit code; processes that lost their parents are buried meanwhile."""
    inside = [path for path in (plan["cwd"], plan["clone"]) if Path(path).is_dir()]
    environ = plan["environ"] | {"PATH": _path(plan["path"])}
    try:
        process = subprocess.Popen(plan["command"], env=environ, cwd=(*inside, "/")[0])
    except OSError as error:
        print(f"tools/hermetic: {error}", file=sys.stderr)
        return 127
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda number, _: os.kill(process.pid, number))
    while True:
        ended, status = os.wait()
        if ended == process.pid:
            code = process.returncode = os.waitstatus_to_exitcode(status)
            return code if code >= 0 else 128 - code


def _path(entries: Iterable[str]) -> str:
    usual = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")
    return ":".join(dict.fromkeys(each for each in (*entries, *usual) if Path(each).is_dir()))


def _prepare(plan: Mapping[str, Any]) -> frozenset[int]:
    """Make the file system and move into it; the device numbers of all that is made for it."""
    room = Path(plan["room"])
    _mount_disk(room, plan["disk"])
    root, lower = room / "root", Path(plan["root"])
    root.mkdir()
    devices = [room.stat().st_dev, _overlay(lower, root, room)]
    if lower == Path("/"):
        for kind, path in list(mounted()):
            if (
                kind not in _DISKS
                or path == Path("/")
                or within(path, (room, Path("/run"), *EMPTY))
            ):
                continue
            if path.is_dir():
                devices.append(_overlay(path, _made(root, path), room))
            else:
                _bind(path, root, writable=False)
    _empty(root, room, (lower == Path("/") and EMPTY) or (Path("/tmp"), Path("/var/tmp")))
    for path in map(Path, plan["copied"]):
        _copy(path, root)
    for path in plan["readable"]:
        _bind(Path(path), root, writable=False)
    for path in plan["writable"]:
        _bind(Path(path), root, writable=True)
    for path in plan["ignored"]:
        _bind(_room(room, path), root, writable=True, at=Path(path))
    _kernel(root, resolver=lower != Path("/"))
    _enter(root)
    return frozenset(devices)


def _enter(root: Path) -> None:
    """Make it this process's root; the file systems of before are no more to be seen."""
    before = root / "run/before"
    before.mkdir()
    _run("pivot_root", root, before)
    os.chdir("/")
    _run("umount", "--lazy", "/run/before")
    Path("/run/before").rmdir()


def mounted() -> Iterator[tuple[str, Path]]:
    """Kind and place of each file system that is mounted here, the outer ones first."""
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        fields, kind = line.split(" - ")
        place = re.sub(r"\\(\d{3})", lambda found: chr(int(found[1], 8)), fields.split()[4])
        yield kind.split()[0], Path(place)


def _mount_disk(room: Path, descriptor: int) -> None:
    """A file system of its own, on the file without a name; on memory where no loop device is.

    Its device number tells later which loop devices were made inside.
    """
    free = os.fstatvfs(descriptor)
    os.truncate(descriptor, max(free.f_bavail * free.f_frsize - 2**30, 2**30))
    file = f"/proc/self/fd/{descriptor}"
    try:
        loop = _run("losetup", "--find", "--show", file, descriptor=descriptor)
    except NotAllowed:
        _run("mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", room)
        return
    try:
        # Nobody will read it after a power cut.
        _run("mkfs.ext4", "-q", "-m", "0", "-O", "^has_journal", "-E", "nodiscard", loop)
        _run("mount", "-t", "ext4", "-o", "noatime", loop, room)
    finally:
        _run("losetup", "--detach", loop)  # goes with its last mount
    (room / "lost+found").rmdir()


def _overlay(lower: Path, at: Path, room: Path) -> int:
    """Mount one; the device number that files written into it have."""
    upper, work = _room(room, f"upper{lower}"), _room(room, f"work{lower}")
    shutil.copystat(lower, upper)
    options = f"lowerdir={_escaped(lower)},upperdir={_escaped(upper)},workdir={_escaped(work)}"
    _run("mount", "-t", "overlay", "-o", options, "overlay", at)
    with tempfile.NamedTemporaryFile(dir=at) as written:  # folders have another
        return os.fstat(written.fileno()).st_dev


def _escaped(path: Path) -> str:
    return re.sub(r"([\\:,])", r"\\\1", str(path))


def _room(room: Path, name: str) -> Path:
    """An empty folder on the disk."""
    made = room / "made" / re.sub("[^a-zA-Z0-9.]", "-", name)
    made.mkdir(parents=True)
    return made


def _made(root: Path, path: Path) -> Path:
    """That folder inside, which is there afterwards."""
    inside = root / path.relative_to("/")
    inside.mkdir(parents=True, exist_ok=True)
    return inside


def _empty(root: Path, room: Path, folders: Iterable[Path]) -> None:
    for folder in (*folders, *map(Path, STORES)):
        inside = root / folder.relative_to("/")
        if not inside.is_dir():
            continue
        new = _room(room, f"empty{folder}")
        shutil.copystat(inside, new)
        _run("mount", "--bind", new, inside)
    for place in PLACES:
        for each in _listed(root / place):
            if SERVICES.fullmatch(each.name):
                _remove(each)
    for each in _listed(root / CACHES):
        if each.name != _KEPT_CACHE:
            _remove(each)


def _listed(folder: Path) -> list[Path]:
    """What is in it; nothing of a link, which may lead out of here."""
    return list(folder.iterdir()) if folder.is_dir() and not folder.is_symlink() else []


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()


def _copy(path: Path, root: Path) -> None:
    """Settings, at the same place; what is there already is added to, or replaced."""
    inside = root / path.relative_to("/")
    inside.parent.mkdir(parents=True, exist_ok=True)
    if path.is_dir():
        shutil.copytree(path, inside, dirs_exist_ok=True)
    else:
        shutil.copy(path, inside)


def _bind(path: Path, root: Path, *, writable: bool, at: Path | None = None) -> None:
    """Show a file or folder of outside, at the same place unless `at` names another."""
    inside = root / (at or path).relative_to("/")
    if path.is_dir():
        inside.mkdir(parents=True, exist_ok=True)
    elif not inside.exists():
        inside.parent.mkdir(parents=True, exist_ok=True)
        inside.touch()
    _run("mount", "--rbind" if writable else "--bind", path, inside)
    if not writable:
        _run("mount", "-o", "remount,bind,ro", inside)


def _kernel(root: Path, *, resolver: bool) -> None:
    """What is no disk: devices as they are, but no files among them; the rest new.

    A link to a file in /run gives way to that file, and any with `resolver`.
    """
    for name in ("proc", "sys", "dev", "run"):
        _made(root, Path("/", name))
    _run("mount", "-t", "proc", "proc", root / "proc")
    _run("mount", "--rbind", "/sys", root / "sys")
    _run("mount", "--rbind", "/dev", root / "dev")
    _run("mount", "-o", "remount,bind,ro", root / "dev")
    if (root / "dev/shm").is_dir():
        _run("mount", "-t", "tmpfs", "-o", "mode=1777", "tmpfs", root / "dev/shm")
    outside, inside = Path("/etc/resolv.conf"), root / "etc/resolv.conf"
    names = outside.read_bytes() if outside.exists() else b""
    _run("mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", root / "run")
    (root / "run/lock").mkdir(mode=0o1777)
    if resolver or inside.is_symlink():
        inside.unlink(missing_ok=True)
        inside.write_bytes(names)


def _detach_loops(devices: frozenset[int]) -> None:
    """Let go of the loop devices on files that were made inside."""
    for block in Path("/sys/block").glob("loop*/loop"):
        with suppress(OSError), Path("/dev", block.parent.name).open("rb") as device:
            status = fcntl.ioctl(device, _LOOP_GET_STATUS64, bytes(232))
            if struct.unpack_from("=Q", status)[0] in devices:
                fcntl.ioctl(device, _LOOP_CLR_FD)


def _run(*words: str | Path, descriptor: int | None = None) -> str:
    """Run a program; its output.

    Raises:
        NotAllowed: it failed.
    """
    done = subprocess.run(
        words,
        capture_output=True,
        text=True,
        check=False,
        pass_fds=() if descriptor is None else (descriptor,),
    )
    if done.returncode != 0:
        raise NotAllowed(f"{words[0]}: {done.stderr.strip()}")
    return done.stdout.strip()


if __name__ == "__main__":
    if sys.argv[1:2] == ["--plan"]:
        with os.fdopen(int(sys.argv[2])) as handed:  # not among the arguments: all may read those
            given = json.load(handed)
        first_process(given)
    sys.exit(main(sys.argv[1:]))
