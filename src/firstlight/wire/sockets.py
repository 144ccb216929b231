"""Listening sockets: opened, or inherited from the master."""

import errno
import json
import os
import socket
import stat
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from firstlight.wire.process.channel import INHERIT

BACKLOG = 4096


class CannotListen(Exception):
    """An address that cannot be listened on; the message says which, why, and what to do."""


@dataclass(frozen=True, slots=True)
class Tcp:
    """A host's name or address (IPv4, IPv6, IPv6 with a zone) and a port; 0 is any free one."""

    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"tcp:{host}:{self.port}"

    def open(self) -> socket.socket:
        """A socket that listens here.

        Raises:
            CannotListen: the address is taken, is not this machine's, or may not be used.
        """
        with _explained(str(self)):
            family, kind, protocol, _, address = socket.getaddrinfo(
                self.host, self.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
            )[0]
            opened = socket.socket(family, kind, protocol)
            with _closed_on_failure(opened):
                opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                # IPV6_V6ONLY is the host's net.ipv6.bindv6only: "::" is IPv4 as well, unless the
                # administrator said otherwise, as it is for every program in OpenStack.
                opened.bind(address)
                opened.listen(BACKLOG)
        return opened


@dataclass(frozen=True, slots=True)
class Unix:
    """A path, the mode and the owner (uid, gid; -1 leaves it) of the socket there."""

    path: str
    mode: int = 0o660
    owner: tuple[int, int] = (-1, -1)
    kind: socket.SocketKind = socket.SOCK_STREAM

    def __str__(self) -> str:
        return f"unix:{self.path}"

    def open(self) -> socket.socket:
        """A socket that listens here; one that a dead process left behind is replaced.

        Raises:
            CannotListen: somebody listens there, it is not a socket, or it cannot be made.
        """
        with _explained(str(self)):
            _remove_dead(self.path, self.kind)
            opened = socket.socket(socket.AF_UNIX, self.kind)
            with _closed_on_failure(opened):
                # Nobody may connect between bind and chmod; nobody can before listen.
                opened.bind(self.path)
                Path(self.path).chmod(self.mode)
                os.chown(self.path, *self.owner)  # last: then it may be somebody else's to change
                opened.listen(BACKLOG)
        return opened


Address = Tcp | Unix


def open_all(
    addresses: Mapping[str, Address], environ: MutableMapping[str, str]
) -> dict[str, socket.socket]:
    """A socket for each named address: inherited if there is one, else opened.

    A generation before this one, or systemd (``FileDescriptorName=`` is the name, and there is no
    address), may have opened it. What was inherited and is not asked for any more is closed. The
    variable that told of it is removed from `environ`, because children have no part in it.

    Raises:
        CannotListen: one of them cannot be opened; then none is open.
    """
    inherited = _handed_over(environ)
    opened: dict[str, socket.socket] = {}
    try:
        for name, address in addresses.items():
            key = next(
                (key for key in ((name, str(address)), (name, "")) if key in inherited), None
            )
            opened[name] = address.open() if key is None else inherited.pop(key)
    except CannotListen:
        for each in opened.values():
            each.close()
        raise
    finally:
        for each in inherited.values():
            each.close()
    return opened


def duplicate(opened: socket.socket) -> socket.socket:
    """Another descriptor of the same socket.

    Not ``opened.dup()``: that makes it block, and with it whoever else has this socket: a process
    that accepts from it until nobody is left would then wait in accept(2) for the next guest.
    """
    return socket.socket(opened.family, opened.type, opened.proto, fileno=os.dup(opened.fileno()))


_Inherited = dict[tuple[str, str], socket.socket]


def _handed_over(environ: MutableMapping[str, str]) -> _Inherited:
    listed = json.loads(environ.pop(INHERIT, "[]"))
    return {(name, address): _adopt(fd) for name, address, fd in listed}


def _adopt(fd: int) -> socket.socket:
    os.set_inheritable(fd, False)
    return socket.socket(fileno=fd)


def _remove_dead(path: str, kind: socket.SocketKind) -> None:
    """Remove a socket nobody listens on; anything else there is somebody's and stays."""
    try:
        if not stat.S_ISSOCK(os.lstat(path).st_mode):
            raise FileExistsError(errno.EEXIST, "a file that is not a socket is in the way")
    except FileNotFoundError:
        return
    with socket.socket(socket.AF_UNIX, kind) as probe:
        try:
            probe.connect(path)
        except ConnectionRefusedError:
            Path(path).unlink()
        else:
            raise OSError(errno.EADDRINUSE, "another process listens there")


@contextmanager
def _closed_on_failure(opened: socket.socket) -> Iterator[None]:
    try:
        yield
    except OSError:
        opened.close()
        raise


_REMEDIES = {
    errno.EADDRINUSE: "stop the other process or choose another address",
    errno.EADDRNOTAVAIL: "choose an address this machine has",
    errno.EACCES: "run as a user who may, or choose another address",
    errno.ENOENT: "make the directory first",
}


@contextmanager
def _explained(address: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        remedy = _REMEDIES.get(error.errno or 0)
        message = f"cannot listen on {address}: {error.strerror or error}"
        raise CannotListen(f"{message}; {remedy}" if remedy else message) from error
