"""Which process has an address: told where one is taken, so that nobody has to look for it.

From /proc, as ss(8) finds it out: a socket by its inode, a process by its descriptors. Of another
user's processes only root sees the descriptors.
"""

import os
import socket
import struct
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

_PROC = Path("/proc")
_LISTENS = "0A"  # a state in /proc/net/tcp
_ACCEPTS = 0x10000  # a flag in /proc/net/unix, __SO_ACCEPTCON
_CREDENTIALS = struct.Struct("iII")
UNSEEN = "a process that this user cannot see (as root: ss -lnp)"


def holder_of_port(port: int) -> str | None:
    """The program that listens on this TCP port, at any address; None: none does here."""
    inodes = set()
    for name in ("tcp", "tcp6"):
        for fields in _rows(name):
            if fields[3] == _LISTENS and int(fields[1].rpartition(":")[2], 16) == port:
                inodes.add(fields[9])
    return _shown(inodes) if inodes else None


def holder_of_socket(path: str, kind: socket.SocketKind = socket.SOCK_STREAM) -> str | None:
    """The program that listens on this UNIX socket; None: none does, it was left behind.

    Raises:
        OSError: there is no such socket, it is of another kind, or may not be connected to.
    """
    with socket.socket(socket.AF_UNIX, kind) as probe:
        probe.setblocking(False)  # one whose queue is full would have us wait
        try:
            probe.connect(path)
        except ConnectionRefusedError:
            return None
        except BlockingIOError:
            return _shown(_inodes_of(path))
        found = _shown(_inodes_of(path))
        # The kernel tells any user who began to listen.
        return (_named(_peer_of(probe)) or found) if found == UNSEEN else found


def _inodes_of(path: str) -> set[str]:
    return {
        fields[6]
        for fields in _rows("unix")
        if len(fields) > 7 and fields[7] == path and int(fields[3], 16) & _ACCEPTS
    }


def _rows(name: str) -> Iterator[list[str]]:
    with suppress(OSError):
        yield from (line.split() for line in (_PROC / "net" / name).read_text().splitlines()[1:])


def _peer_of(peer: socket.socket) -> int:
    raw = peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    return int(_CREDENTIALS.unpack(raw)[0])


def _shown(inodes: set[str]) -> str:
    pids = sorted(_with_descriptor({f"socket:[{inode}]" for inode in inodes}))
    return next(filter(None, map(_named, pids)), UNSEEN)


def _with_descriptor(targets: set[str]) -> Iterator[int]:
    for entry in _PROC.iterdir():
        if not entry.name.isdecimal():
            continue
        with suppress(OSError):  # it has ended, or is another user's
            if any(os.readlink(each) in targets for each in (entry / "fd").iterdir()):  # noqa: PTH115  the text of the link, which is no path
                yield int(entry.name)


def _named(pid: int) -> str | None:
    """``firstlight metadata (process 123)``: the program and, of one of ours, its command."""
    try:
        words = (_PROC / str(pid) / "cmdline").read_bytes().decode(errors="replace").split("\0")
        name = (_PROC / str(pid) / "comm").read_text().strip()
    except OSError:
        return None
    if Path(words[0]).name.startswith("python"):
        words = words[1:]
    words = [word for word in words if not word.startswith("-")][:2]
    if words and Path(words[0]).name == "firstlight":
        name = " ".join(["firstlight", *words[1:]])
    return f"{name} (process {pid})"
