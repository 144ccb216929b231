"""The broker's rounds: every namespace of Neutron's is tended, and again if one is in trouble."""

import asyncio
import logging
import socket
from collections.abc import Callable, Collection
from pathlib import Path

from firstlight.relay.broker.directory import Directory, Identity
from firstlight.relay.broker.kept_sockets import Kept
from firstlight.relay.broker.namespace import NamespaceListeners
from firstlight.relay.broker.protocol import NEIGHBOURS, Closed, Message, Opened, Trouble
from firstlight.relay.namespaces import ListenAddress, place_of

LOG = logging.getLogger(__name__)

# Seconds. What happens at once is looked at together; a namespace in trouble is looked at after
# twice the time each time; what has been wrong for less than a second was only being made. The
# kernel tells of an address before it can be listened on, so a change is looked at again.
_TOGETHER = 0.01
_SETTLED = 0.1
_SOON, _SELDOM = 0.05, 15.0
_BEING_MADE = 1.0

Tell = Callable[[Message, socket.socket | None], None]


class _Tended:
    """A post, which file it was at last, and when it is looked at again."""

    def __init__(self, post: NamespaceListeners) -> None:
        self.post = post
        self.file: Identity | None = None
        self.told: dict[ListenAddress, socket.socket] = {}
        self.listens: socket.socket | None = None  # the bell that the loop listens to,
        self.ear = -1  # and its number, which outlives it
        self.again: asyncio.TimerHandle | None = None
        self.delay = _SOON
        self.trouble: str | None = None


class Reconciler:
    """Keeps a post in each namespace of `kinds` in `directory`; `tell` hears what changes."""

    def __init__(
        self, directory: Path, *, kinds: Collection[str], router_port: int, tell: Tell, kept: Kept
    ) -> None:
        self._path = directory
        self._kinds = kinds
        self._router_port = router_port
        self._tell = tell
        self._kept = kept
        self._tended: dict[str, _Tended] = {}
        self._due: asyncio.TimerHandle | None = None
        self._loop = asyncio.get_running_loop()
        self._directory = Directory(directory, self._soon)
        self._look()
        for spot, opened in kept.inherited():
            if not self.adopt(spot, opened):
                opened.close()
                kept.drop(spot)

    def sockets(self) -> dict[ListenAddress, socket.socket]:
        """All that is held."""
        return {spot: held for one in self._tended.values() for spot, held in one.told.items()}

    def troubles(self) -> dict[str, str]:
        """By namespace, what is wrong there."""
        return {name: one.trouble for name, one in self._tended.items() if one.trouble}

    def adopt(self, spot: ListenAddress, opened: socket.socket) -> bool:
        """Take a socket that a serving process has held since before this broker was started."""
        one = self._tended.get(spot.namespace)
        if one is None:
            return False
        if spot in one.told:
            opened.close()  # it is a copy of what is there
            return True
        if not one.post.adopt(spot, opened):
            return False
        one.told[spot] = opened
        self._kept.keep(spot, opened)
        self._tend(one)
        return True

    def close(self) -> None:
        """Let go of everything."""
        self._directory.close()
        if self._due is not None:
            self._due.cancel()
        for name in tuple(self._tended):
            self._leave(name)

    def _soon(self) -> None:
        if self._due is None:
            self._due = self._loop.call_later(_TOGETHER, self._look)

    def _look(self) -> None:
        """Go through the directory for what came, went, or became another."""
        self._due = None
        there = self._directory.entries()
        for name in self._tended.keys() - there.keys():
            self._leave(name)
        for name, file in there.items():
            one = self._tended.get(name)
            if one is None:
                if place_of(name, self._kinds) is None:
                    continue
                one = self._tended[name] = _Tended(
                    NamespaceListeners(self._path / name, self._router_port)
                )
            if one.file != file:
                one.file, one.delay = file, _SOON
                self._tend(one)

    def _tend(self, one: _Tended) -> None:
        self._no_more(one)
        trouble = one.post.tend()
        self._listen_for_changes(one)
        self._tell_changes(one)
        if trouble is not None:
            one.again = self._loop.call_later(one.delay, self._tend, one)
        self._note(one, trouble)
        one.delay = _SOON if trouble is None else min(2 * one.delay, _SELDOM)

    def _note(self, one: _Tended, trouble: str | None) -> None:
        """Log and tell once what is wrong, and once that it is not any more."""
        if trouble is not None and one.delay < _BEING_MADE and one.trouble is None:
            return
        if trouble != one.trouble:
            if trouble is None:
                LOG.info("%s: all is well again", one.post.name)
            else:
                LOG.warning("%s", trouble)
            one.trouble = trouble
            self._tell(Trouble(one.post.name, trouble), None)

    def _listen_for_changes(self, one: _Tended) -> None:
        bell = one.post.bell
        if bell is one.listens:
            return
        self._deafen(one)
        if bell is not None:
            one.listens, one.ear = bell, bell.fileno()
            self._loop.add_reader(one.ear, self._rung, one)

    def _deafen(self, one: _Tended) -> None:
        if one.ear >= 0:
            self._loop.remove_reader(one.ear)
        one.listens, one.ear = None, -1

    def _rung(self, one: _Tended) -> None:
        one.post.quieten()
        self._tend(one)
        self._no_more(one)
        one.again = self._loop.call_later(_SETTLED, self._tend, one)

    @staticmethod
    def _no_more(one: _Tended) -> None:
        if one.again is not None:
            one.again.cancel()
            one.again = None

    def _tell_changes(self, one: _Tended) -> None:
        now = dict(one.post.held)
        if one.post.neighbours is not None:
            now[ListenAddress(one.post.name, one.post.network, NEIGHBOURS, 0)] = one.post.neighbours
        for spot in one.told.keys() - now.keys():
            LOG.info("%s: closed", spot)
            self._tell(Closed(spot), None)
            self._kept.drop(spot)
        for spot in now.keys() - one.told.keys():
            LOG.info("%s: opened", spot)
            self._tell(Opened(spot), now[spot])
            self._kept.keep(spot, now[spot])
        one.told = now

    def _leave(self, name: str) -> None:
        one = self._tended.pop(name)
        self._no_more(one)
        self._deafen(one)
        one.post.close()
        self._tell_changes(one)
        if one.trouble is not None:
            self._tell(Trouble(name, None), None)
