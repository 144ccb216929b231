"""What the broker's master keeps of its sockets for the next broker."""

import socket
from types import SimpleNamespace

import pytest

from firstlight.relay.broker.kept_sockets import Kept
from firstlight.relay.broker.protocol import NEIGHBOURS
from firstlight.relay.namespaces import ListenAddress

SPOT = ListenAddress("qdhcp-1", 7, "169.254.169.254", 80)


@pytest.fixture
def master():
    """What it keeps, by name."""
    kept: dict[str, object] = {}
    return SimpleNamespace(kept=kept, keep=kept.__setitem__, drop=lambda name: kept.pop(name, None))


def test_what_is_kept_comes_back(master):
    """The next broker knows where each listens."""
    with socket.socket() as opened:
        Kept(master, {}).keep(SPOT, opened)
        assert list(Kept(master, dict(master.kept)).inherited()) == [(SPOT, opened)]


def test_what_another_version_named(master):
    """It is closed and let go of, so that the address is free."""
    opened = socket.socket()
    master.kept["qdhcp-1 80"] = opened
    assert list(Kept(master, dict(master.kept)).inherited()) == []
    assert (opened.fileno(), master.kept) == (-1, {})


def test_only_listening_sockets(master):
    """The one that reads a neighbour table is opened anew instead."""
    with socket.socket() as opened:
        Kept(master, {}).keep(ListenAddress("qdhcp-1", 7, NEIGHBOURS, 0), opened)
    assert master.kept == {}


def test_at_the_end_all_stay(master):
    """What is dropped while the broker runs is gone; what it drops at its end is the next one's."""
    kept = Kept(master, {})
    with socket.socket() as opened:
        kept.keep(SPOT, opened)
        kept.drop(SPOT)
        assert master.kept == {}
        kept.keep(SPOT, opened)
    kept.close()
    kept.drop(SPOT)
    assert len(master.kept) == 1
