"""One process of a host listens and tells the others; when it ends, another takes its place.

They meet at an abstract UNIX socket (unix(7)). To bind it is to be the one that listens; the kernel
frees it however a process ends, so nothing is left behind and nothing needs to be configured. It
belongs to a network namespace: containers with networks of their own are hosts of their own.
"""

import logging
import os
import socket
import struct
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress

import msgspec

from firstlight.notifications.news import LIMIT, Hearing, News, hearing, pack, unpack

LOG = logging.getLogger(__name__)

Tell = Callable[[News], None]
# Listens while it is entered, and tells.
Listen = Callable[[Tell], AbstractContextManager[object]]

_POLL = 0.2  # seconds within which the end is noticed
_RETRY = 1.0  # seconds between attempts to take part
_GREETING = 2.0  # seconds; the listening process answers at once unless it is ending
_STRANGER = "another user's process holds the place of the one that listens on this host"


class OnePerHost:
    """This process's part.

    Args:
        name: who has the same name is of the same host.
        listen: what the listening process does.
        tell: told all news, by this process or by the one that listens.
        miss: called when news may have been lost.
    """

    def __init__(self, name: str, listen: Listen, tell: Tell, miss: Callable[[], None]) -> None:
        self._address = f"\0firstlight/{os.geteuid()}/{name}"
        self._listen = listen
        self._tell = tell
        self._miss = miss
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, name="notifications", daemon=True)
        self._place: socket.socket | None = None  # bound: this process listens
        self._line: socket.socket | None = None  # connected to the one that does

    def start(self) -> None:
        """Take part. News from now on arrive."""
        self._join(first=True)
        self._thread.start()

    def close(self) -> None:
        """Leave; if this process listened, another will."""
        self._end.set()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join()

    @property
    def listens(self) -> bool:
        """Whether it is this process."""
        return self._place is not None

    def _run(self) -> None:
        while not self._end.is_set():
            try:
                self._take_part()
                self._leave()
                if not self._end.is_set():
                    self._join()
            except Exception:  # the thread's one catch-all: a fault must not end the news
                LOG.exception("Nova's notifications: a part failed and is taken again")
                self._tell(hearing("it failed; see the log"))
                self._leave()
        self._leave()

    def _take_part(self) -> None:
        if self._place is not None:
            self._lead(self._place)
        elif self._line is not None:
            self._follow(self._line)
        else:
            self._end.wait(_RETRY)

    def _leave(self) -> None:
        for each in (self._place, self._line):
            if each is not None:
                each.close()
        self._place = self._line = None

    # Which part?

    def _join(self, *, first: bool = False) -> None:
        try:
            self._place = self._bound()
            if self._place is None:
                self._line = self._connected()
            if not first:  # also to listen: it may have been cut off before
                self._miss()
        except PermissionError:
            self._tell(hearing(_STRANGER))
        except OSError as error:  # it is just ending, or there are no more files
            LOG.debug("Nova's notifications: no part to be had yet: %s", error)

    def _bound(self) -> socket.socket | None:
        place = _socket()
        try:
            place.bind(self._address)
            place.listen(128)
        except OSError:
            place.close()
            return None
        place.settimeout(_POLL)
        return place

    def _connected(self) -> socket.socket:
        """A line on which the greeting has arrived: from then on nothing is lost."""
        line = _socket()
        try:
            line.settimeout(_GREETING)
            line.connect(self._address)
            _check_user(line)
            self._take(line.recv(LIMIT))
        except OSError:
            line.close()
            raise
        line.settimeout(_POLL)
        return line

    # To follow.

    def _follow(self, line: socket.socket) -> None:
        while not self._end.is_set():
            try:
                data = line.recv(LIMIT)
            except TimeoutError:
                continue
            except OSError:
                return
            if not data:
                return
            self._take(data)

    def _take(self, data: bytes) -> None:
        if not data:
            raise ConnectionResetError("the process that listens is ending")
        try:
            news = unpack(data)
        except msgspec.DecodeError:
            LOG.warning("Nova's notifications: news of another version; what is known is dropped")
            self._miss()
        else:
            self._tell(news)

    # To lead.

    def _lead(self, place: socket.socket) -> None:
        followers = _Followers(self._tell)
        try:
            with self._listen(followers.tell):
                while not self._end.is_set():
                    with suppress(TimeoutError):
                        followers.welcome(place.accept()[0])
        finally:
            followers.close()


class _Followers:
    """The other processes of the host."""

    def __init__(self, tell_self: Tell) -> None:
        self._tell_self = tell_self
        self._guard = threading.Lock()
        self._lines: list[socket.socket] = []
        self._hearing = Hearing(hears=False)  # not yet

    def tell(self, news: News) -> None:
        """Tell everybody, this process too. Who does not keep up is cut off, and comes back."""
        with self._guard:
            if isinstance(news, Hearing):
                self._hearing = news
            self._lines = [line for line in self._lines if _sent(line, news)]
        self._tell_self(news)

    def welcome(self, line: socket.socket) -> None:
        """One more: first it is told how things stand."""
        try:
            _check_user(line)
        except OSError:
            line.close()
            return
        line.setblocking(False)
        with self._guard:
            if _sent(line, self._hearing):
                self._lines.append(line)

    def close(self) -> None:
        """Let them find another."""
        with self._guard:
            for line in self._lines:
                line.close()
            self._lines = []


def _socket() -> socket.socket:
    return socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)


def _sent(line: socket.socket, news: News) -> bool:
    try:
        line.send(pack(news))
    except OSError:  # gone, or its buffer is full
        line.close()
        return False
    return True


def _check_user(line: socket.socket) -> None:
    """An abstract socket has no permissions, so each side looks at who the other is.

    Raises:
        PermissionError: it is neither of our user nor root.
    """
    credentials = line.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    _pid, uid, _gid = struct.unpack("3i", credentials)
    if uid not in (os.geteuid(), 0):
        raise PermissionError(_STRANGER)
