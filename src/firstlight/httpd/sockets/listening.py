"""Listening sockets: opened, or inherited from the master."""

import errno
import fcntl
import json
import logging
import os
import socket
import stat
import time
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from firstlight.httpd.process.channel import INHERIT
from firstlight.httpd.sockets.holder import holder_of_port, holder_of_socket

LOG = logging.getLogger(__name__)

# How often, and after how many seconds, a directory that is locked is tried again.
_TRIES, _PAUSE = 100, 0.05
BACKLOG = 4096


class CannotListen(Exception):
    """An address that cannot be listened on; the message says which, why, and what to do."""


class AddressTaken(CannotListen):
    """Another process listens there; the message says which, as far as this user may see it."""


@dataclass(frozen=True, slots=True)
class Tcp:
    """A host's name or address (IPv4, IPv6, IPv6 with a zone) and a port; 0 is any free one.

    Attributes:
        spare: whether a service starts without it where another process has it.
    """

    host: str
    port: int
    spare: bool = False

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"tcp:{host}:{self.port}"

    def open(self) -> socket.socket:
        """A socket that listens here.

        Raises:
            AddressTaken: another process listens there.
            CannotListen: it is not this machine's, or may not be used.
        """
        with _explained(str(self), lambda: holder_of_port(self.port)):
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
    """A path, the mode and the owner (uid, gid; -1 leaves it) of the socket there.

    Attributes:
        spare: see :class:`Tcp`.
        optional: whether a service starts without it, whatever keeps it from being made.
    """

    path: str
    mode: int = 0o660
    owner: tuple[int, int] = (-1, -1)
    kind: socket.SocketKind = socket.SOCK_STREAM
    spare: bool = False
    optional: bool = False

    def __str__(self) -> str:
        return f"unix:{self.path}"

    def open(self) -> socket.socket:
        """A socket that listens here; one that a dead process left behind is replaced.

        Raises:
            AddressTaken: another process listens there.
            CannotListen: what is there is not a socket, or it cannot be made.
        """
        with _explained(str(self), lambda: None), _alone_in(Path(self.path).parent):
            _remove_dead(self)
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

    One that is `optional`, or `spare` and taken by another process, is left out, which the log
    says. A generation before this one, or systemd (``FileDescriptorName=`` is the name, and there
    is no address), may have opened it. What was inherited and is not asked for any more is closed.
    The variable that told of it is removed from `environ`, because children have no part in it.

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
            if key is not None:
                opened[name] = inherited.pop(key)
            elif (new := _open(name, address)) is not None:
                opened[name] = new
    except CannotListen:
        for each in opened.values():
            each.close()
        raise
    finally:
        for each in inherited.values():
            each.close()
    return opened


def _open(name: str, address: Address) -> socket.socket | None:
    """A new socket; None: it cannot be had, and the service does without."""
    try:
        return address.open()
    except CannotListen as error:
        optional = isinstance(address, Unix) and address.optional
        if not (optional or (address.spare and isinstance(error, AddressTaken))):
            raise
        LOG.warning(
            "%s; this service starts without its listener %s, and a reload looks again", error, name
        )
        return None


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


@contextmanager
def _alone_in(directory: Path) -> Iterator[None]:
    """Keep others of this code from the sockets in `directory` for the while.

    Of two that start at once each would take the other's new socket, which does not listen yet,
    for a dead one. The lock is the directory's own, so nothing is left behind.
    """
    try:
        descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except PermissionError:  # it may be written to all the same
        yield
        return
    try:
        _lock(descriptor)
        yield
    finally:
        os.close(descriptor)


def _lock(descriptor: int) -> None:
    """Wait for the lock, in bounded time: any user who may read the directory can hold it."""
    for _ in range(_TRIES):
        with suppress(BlockingIOError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        time.sleep(_PAUSE)
    raise OSError(errno.EAGAIN, "another process has locked the directory (flock)")


def _remove_dead(address: Unix) -> None:
    """Remove a socket nobody listens on; anything else there is somebody's and stays."""
    path = address.path
    try:
        if not stat.S_ISSOCK(os.lstat(path).st_mode):
            raise FileExistsError(errno.EEXIST, "a file that is not a socket is in the way")
    except FileNotFoundError:
        return
    holder = holder_of_socket(path, address.kind)
    if holder is not None:
        raise AddressTaken(_taken(str(address), holder))
    Path(path).unlink()


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


def _taken(address: str, holder: str | None) -> str:
    remedy = _REMEDIES[errno.EADDRINUSE]
    return f"cannot listen on {address}: {holder or 'another process'} listens there; {remedy}"


@contextmanager
def _explained(address: str, holder: Callable[[], str | None]) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise AddressTaken(_taken(address, holder())) from error
        remedy = _REMEDIES.get(error.errno or 0)
        message = f"cannot listen on {address}: {error.strerror or error}"
        raise CannotListen(f"{message}; {remedy}" if remedy else message) from error
