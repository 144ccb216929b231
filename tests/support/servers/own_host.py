"""A machine of its own inside this one: processes, network, mounts and /run, gone when it ends."""

import ctypes
import os
import shutil
import signal
import socket
import subprocess
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path

from support.parts import absent, need
from support.servers.databases import eventually

_PATIENCE = 60  # seconds
_CLONE_NEWNET = 0x40000000  # <sched.h>
_MAKE = """
mount -t tmpfs tmpfs /run
mkdir -p /run/netns /run/lock /run/openvswitch /run/ovn
ip link set lo up
touch "$1"
while :; do sleep 3600 & wait; done  # and so it buries whoever has lost its parent
"""


class OwnHost:
    """Whatever is started in it has its own process ids, network devices and ``/run``, and ends
    with it; files elsewhere are those of this machine.

    Without root, or where namespaces are forbidden, the test is skipped or fails.
    """

    def __init__(self, home: Path) -> None:
        self._home = home
        self._stack = ExitStack()
        self._started: list[subprocess.Popen[bytes]] = []
        self.init = 0  # the process id, outside, of its first process

    def __enter__(self) -> "OwnHost":
        if os.geteuid() != 0:
            absent("a machine of its own needs root")
        ready = self._home / "machine.ready"
        flags = ("--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc")
        ends_with_us = (need("setpriv"), "--pdeathsig=KILL")  # however we end
        outer = subprocess.Popen(
            [*ends_with_us, need("unshare"), *flags, "sh", "-ec", _MAKE, "sh", ready],
            stdin=subprocess.DEVNULL,
        )
        self._stack.callback(outer.wait)
        self._stack.callback(outer.kill)
        if not eventually(lambda: ready.exists() or outer.poll() is not None, _PATIENCE):
            self._stack.close()
        if not ready.exists():
            absent("this machine does not allow namespaces of processes, mounts and network")
        self.init = int(Path(f"/proc/{outer.pid}/task/{outer.pid}/children").read_text())
        return self

    def __exit__(self, *exc: object) -> None:
        self._stack.close()
        for each in self._started:
            each.wait(_PATIENCE)

    def command(self, *words: str | Path, within: str = "") -> list[str]:
        """This command, to be run there; `within`: in that network namespace of its."""
        entered = [need("nsenter"), f"--target={self.init}", "--net", "--mount", "--pid"]
        inner = ["ip", "netns", "exec", within] if within else []
        return [*entered, *inner, *map(str, words)]

    def run(self, *words: str | Path, within: str = "") -> str:
        """Run a command there; its output."""
        done = subprocess.run(
            self.command(*words, within=within), capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{words}: {done.stdout[-2000:]}{done.stderr[-2000:]}"
        return done.stdout

    def start(
        self, *words: str | Path, log: Path, environ: Mapping[str, str] | None = None
    ) -> subprocess.Popen[bytes]:
        """Start a program there, which ends with the host at the latest."""
        with log.open("ab") as out:
            started = subprocess.Popen(
                self.command(*words), stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=environ
            )
        self._started.append(started)
        return started

    def kill(self, started: "subprocess.Popen[bytes]") -> None:
        """Kill what :meth:`start` started, and its children."""
        for pid in reversed(family(started.pid)):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        started.wait(_PATIENCE)

    def namespaces(self) -> list[str]:
        """The names of its network namespaces."""
        return sorted(each.name for each in self._root("run/netns").iterdir())

    def replace(self, program: str, by: Path) -> None:
        """There, and only there, this file is in the place of `program`."""
        there = shutil.which(program)
        if there is None:
            absent(f"{program} is not installed")
        self.run("mount", "--bind", by, there)

    def reach(self, port: int, at: tuple[str, int] | None = None) -> None:
        """`at` (127.0.0.1:`port` unless given) there is 127.0.0.1:`port` here, from now on."""
        with ThreadPoolExecutor(1, initializer=self._enter) as inside:
            there = at or ("127.0.0.1", port)
            listening = inside.submit(socket.create_server, there).result()
        self._stack.callback(listening.close)
        self._stack.callback(listening.shutdown, socket.SHUT_RDWR)
        threading.Thread(target=_lead, args=(listening, port), daemon=True).start()

    def connect(self, address: tuple[str, int]) -> socket.socket:
        """A connection from there to an address there."""
        with ThreadPoolExecutor(1, initializer=self._enter) as inside:
            return inside.submit(socket.create_connection, address, _PATIENCE).result()

    def file(self, path: str) -> Path:
        """The file that has this absolute path there."""
        return self._root(path.lstrip("/"))

    def _root(self, path: str) -> Path:
        return Path(f"/proc/{self.init}/root", path)

    def _enter(self) -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        with Path(f"/proc/{self.init}/ns/net").open() as file:
            if libc.setns(file.fileno(), _CLONE_NEWNET) != 0:
                raise OSError(ctypes.get_errno(), "cannot enter the host's network")


def family(pid: int) -> list[int]:
    """A process and all that come from it, by their ids."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except FileNotFoundError:
        return []
    return [pid, *(each for child in children for each in family(int(child)))]


def _lead(listening: socket.socket, port: int) -> None:
    """Connect whoever comes to the same port here."""
    while True:
        try:
            there, _ = listening.accept()
        except OSError:
            return
        try:
            here = socket.create_connection(("127.0.0.1", port))
        except OSError:
            there.close()
            continue
        threading.Thread(target=_join, args=(there, here), daemon=True).start()


def _join(there: socket.socket, here: socket.socket) -> None:
    """Carry bytes both ways; closed when neither is used any more, as numbers are given again."""
    back = threading.Thread(target=_copy, args=(here, there), daemon=True)
    with there, here:
        back.start()
        _copy(there, here)
        back.join()


def _copy(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
    for each in (source, sink):  # whoever is first ends both directions
        with suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)
