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


def holder_of_socket(path: str, peer: socket.socket | None = None) -> str:
    """The program that listens on this UNIX socket.

    Args:
        peer: connected to it; the kernel tells of that who began to listen.
    """
    inodes = {
        fields[6]
        for fields in _rows("unix")
        if len(fields) > 7 and fields[7] == path and int(fields[3], 16) & _ACCEPTS
    }
    found = _shown(inodes)
    if found == UNSEEN and peer is not None:
        pid = _peer_of(peer)
        found = _named(pid) or UNSEEN
    return found


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
            if any(os.readlink(each) in targets for each in (entry / "fd").iterdir()):  # noqa: PTH115
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
