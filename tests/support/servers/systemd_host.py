"""A machine whose process 1 is systemd, inside this one, with the units that are shipped.

Its root is this machine's with a layer in memory on top, so that nothing needs to be installed and
nothing stays; the clone has such a layer too, so that a test can change the code that is installed.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from support.parts import absent, need
from support.relay.namespaces import METADATA
from support.servers.databases import eventually

ROOT = Path(__file__).resolve().parents[3]
_SYSTEMD = Path("/lib/systemd/systemd")
_PATIENCE = 90  # seconds on a busy machine
_CGROUPS = Path("/proc/self/mounts")

# Its arguments: a directory to work in, the clone, and what else is to be seen, each a mount point.
_BOOT = r"""
base=$1 clone=$2; shift 2
mount -t tmpfs tmpfs "$base"
layer() { # an overlay of $1 at $2, whose upper layer is named $3
    mkdir -p "$base/$3.upper" "$base/$3.work" "$2"
    mount -t overlay -o "lowerdir=$1,upperdir=$base/$3.upper,workdir=$base/$3.work" overlay "$2"
}
layer / "$base/root" root
cd "$base/root"
for each; do mkdir -p "./$each"; mount --bind "$each" "./$each"; done
layer "$clone" "./$clone" clone
mount -t proc proc proc
mount -t sysfs -o ro sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount -t tmpfs -o mode=755 tmpfs run
mount -t tmpfs -o mode=1777 tmpfs tmp
mount -t tmpfs -o mode=755 tmpfs dev
for each in null zero full random urandom tty; do
    touch "dev/$each"; mount --bind "/dev/$each" "dev/$each"
done
mkdir dev/pts dev/shm
ln -s /proc/self/fd dev/fd
ln -s pts/ptmx dev/ptmx
mount -t devpts -o newinstance,ptmxmode=0666 devpts dev/pts
mount -t tmpfs tmpfs dev/shm
rm -rf etc/systemd/system; mkdir -p etc/systemd/system etc/sysusers.d etc/firstlight var/log/journal
: > etc/machine-id
ip link set lo up
ip address add "$METADATA/32" dev lo
echo 0 > proc/sys/net/ipv4/ip_unprivileged_port_start
mkdir run/old
pivot_root . run/old
umount -l run/old
mount --make-rshared /  # a systemd that is told of a container leaves that to whoever made it
exec env -i container=firstlight "PATH=$PATH" /lib/systemd/systemd --unit=basic.target \
    --log-target=console --show-status=0
"""

_DROP_IN = """\
[Service]
# Python, and the clone, may be in somebody's home.
ProtectHome=no
"""


class SystemdHost:
    """Boots when entered; without root, systemd, or namespaces the test is skipped or fails."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._stack = ExitStack()
        self.init = 0  # the process id, outside, of systemd

    def __enter__(self) -> "SystemdHost":
        if os.geteuid() != 0:
            absent("a machine with a systemd of its own needs root")
        if not _SYSTEMD.exists():
            absent("systemd is not installed")
        try:
            self._boot()
            self._install()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(self, *exc: object) -> None:
        self._stack.close()

    # What a test does there.

    def root(self, path: str) -> Path:
        """A file there, from here."""
        return Path(f"/proc/{self.init}/root", path.lstrip("/"))

    def write(self, path: str, text: str) -> None:
        """Make a file there that everybody may read."""
        file = self.root(path)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        file.chmod(0o644)

    def command(self, *words: str | Path) -> list[str]:
        """This command, to be run there."""
        return [need("nsenter"), f"--target={self.init}", "--all", *map(str, words)]

    def popen(self, *words: str | Path, **options) -> "subprocess.Popen":
        """Start a program there."""
        return subprocess.Popen(self.command(*words), **options)

    def run(self, *words: str | Path, check: bool = True) -> str:
        """Run a command there; its output."""
        done = subprocess.run(
            self.command(*words), capture_output=True, text=True, timeout=_PATIENCE * 2
        )
        assert not check or done.returncode == 0, (
            f"{words}: {done.stdout[-2000:]}{done.stderr[-2000:]}{self.journal()[-4000:]}"
        )
        return done.stdout

    def systemctl(self, *words: str) -> str:
        """Run systemctl there."""
        return self.run("systemctl", "--no-pager", *words)

    def show(self, unit: str, name: str) -> str:
        """One property of a unit."""
        return self.systemctl("show", "--value", f"--property={name}", unit).strip()

    def journal(self, *words: str) -> str:
        """What was logged."""
        return self.run("journalctl", "--no-pager", "--output=cat", *words, check=False)

    def processes(self, unit: str) -> dict[int, int]:
        """A unit's processes and their parents, by the ids that they have there."""
        group = self.root(f"/sys/fs/cgroup/system.slice/{unit}.service/cgroup.procs")
        pids = [int(line) for line in self.run("cat", _inside(group)).split()]
        parents = [self.run("ps", "-o", "ppid=", "-p", str(pid), check=False) for pid in pids]
        return {
            pid: int(parent) for pid, parent in zip(pids, parents, strict=True) if parent.strip()
        }

    def worker(self, unit: str) -> int:
        """The process that the unit's main process has started and that serves."""
        main = int(self.show(unit, "MainPID"))
        (worker,) = [pid for pid, parent in self.processes(unit).items() if parent == main]
        return worker

    # How it comes to be.

    def _boot(self) -> None:
        group = self._group()
        base = self._home / "machine"
        base.mkdir()
        flags = "--mount --pid --fork --net --uts --ipc --cgroup --kill-child --propagation=private"
        seen = [Path(sys.base_prefix), Path(sys.prefix)]
        script = f'echo $$ > {group}/cgroup.procs; exec unshare {flags} sh -euc "$@"'
        with (self._home / "boot.log").open("wb") as log:
            outer = subprocess.Popen(
                [
                    *(need("setpriv"), "--pdeathsig=KILL"),  # however we end
                    *("sh", "-c", script, "sh", _BOOT, "sh", base, ROOT, *_outermost(seen, ROOT)),
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, "METADATA": METADATA},
            )
        self._stack.callback(outer.wait)
        self._stack.callback(outer.send_signal, signal.SIGKILL)
        booted = eventually(lambda: outer.poll() is not None or self._is_up(outer.pid), _PATIENCE)
        if not booted or outer.poll() is not None:
            absent(f"systemd does not boot here: {(self._home / 'boot.log').read_text()[-1000:]}")

    def _group(self) -> Path:
        """A control group for everything there: systemd wants one of version 2, to be its own."""
        mounts = [line.split() for line in _CGROUPS.read_text().splitlines()]
        found = [Path(fields[1]) for fields in mounts if fields[2] == "cgroup2"]
        if not found:
            absent("there are no control groups of version 2")
        group = found[0] / f"firstlight-{os.getpid()}"
        group.mkdir()
        self._stack.callback(_remove_group, group)
        return group

    def _is_up(self, outer: int) -> bool:
        children = Path(f"/proc/{outer}/task/{outer}/children").read_text().split()
        if not children:
            return False
        self.init = int(children[0])
        try:
            name = Path(f"/proc/{self.init}/comm").read_text().strip()
        except FileNotFoundError:
            return False
        return name == "systemd" and self.root("/run/systemd/private").exists()

    def _install(self) -> None:
        for unit in (ROOT / "etc" / "systemd").glob("*.service"):
            self.write(f"/etc/systemd/system/{unit.name}", unit.read_text())
            self.write(f"/etc/systemd/system/{unit.name}.d/test.conf", _DROP_IN)
        users = ROOT / "etc" / "sysusers.d" / "firstlight.conf"
        self.write("/etc/sysusers.d/firstlight.conf", users.read_text())
        self.run("systemd-sysusers")
        self.run("ln", "-sf", Path(sys.executable).parent / "firstlight", "/usr/bin/firstlight")
        for path in {*_above(Path(sys.base_prefix)), *_above(Path(sys.prefix)), *_above(ROOT)}:
            if not self.root(str(path)).stat().st_mode & 1:
                self.run("chmod", "o+x", path)
        self.systemctl("daemon-reload")


def _outermost(paths: Sequence[Path], but: Path) -> list[Path]:
    """Those that are in none of the others, nor in `but`, nor on the root's own file system."""
    return [
        path
        for path in dict.fromkeys(paths)
        if not any(path != other and path.is_relative_to(other) for other in (*paths, but))
        and path.stat().st_dev != Path("/").stat().st_dev
    ]


def _above(path: Path) -> list[Path]:
    return [each for each in path.parents if each != Path("/")]


def _inside(path: Path) -> Path:
    """What a path of :meth:`SystemdHost.root` is there."""
    return Path("/", *path.parts[4:])


def _remove_group(group: Path) -> None:
    """All processes in it have been killed, and are about to be gone."""
    for directory, _, _ in os.walk(group, topdown=False):
        path = Path(directory)
        assert eventually(lambda: _removed(path), _PATIENCE)  # noqa: B023  asked before the loop goes on


def _removed(group: Path) -> bool:
    try:
        group.rmdir()
    except OSError:
        return not group.exists()
    return True
