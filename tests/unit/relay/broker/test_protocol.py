"""What passes between the broker and the proxy, and which namespaces count."""

import socket

import pytest

from firstlight.relay.broker.protocol import (
    BadMessage,
    Holds,
    Opened,
    Trouble,
    UpToDate,
    receive,
    send,
)
from firstlight.relay.contract import Origin, Via
from firstlight.relay.namespaces import ListenAddress, place_of

ID = "7a9c5c2e-0b51-4b0e-9b2e-3d0c6a0f1c11"
SPOT = ListenAddress(f"qdhcp-{ID}", 42, "fe80::a9fe:a9fe", 80, 7)


@pytest.fixture
def pair():
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs:
        yield ours, theirs


def test_messages_and_sockets_pass(pair):
    """A message arrives as it was, with the very socket that was sent along."""
    with socket.create_server(("127.0.0.1", 0)) as passed:
        send(pair[0], Opened(SPOT), passed)
        message, arrived = receive(pair[1])
        with arrived:
            assert message == Opened(SPOT)
            assert arrived.getsockname() == passed.getsockname()
            assert arrived.get_inheritable() is False
    for said in (Trouble("qdhcp-x", "it hurts"), Trouble("qdhcp-x", None), UpToDate()):
        send(pair[0], said)
        assert receive(pair[1]) == (said, None)


def test_end(pair):
    """The end of the other process is no message."""
    pair[0].close()
    assert receive(pair[1]) is None


@pytest.mark.parametrize(
    "data", [b"{}", b"[]", b"\xff", b'{"type":"opened"}', b'{"type":"no"}', b"x" * 5000]
)
def test_garbage(pair, data):
    """What is no message is Garbled, however it is wrong."""
    pair[0].send(data)
    with pytest.raises(BadMessage):
        receive(pair[1])


def test_socket_where_none_belongs(pair):
    """Sockets come with the messages that have one, exactly one; others are closed."""
    send(pair[0], Holds(SPOT))
    with pytest.raises(BadMessage, match="0 sockets"):
        receive(pair[1])
    with socket.socket() as extra:
        send(pair[0], UpToDate(), extra)
        with pytest.raises(BadMessage, match="1 sockets"):
            receive(pair[1])


@pytest.mark.parametrize(
    "name", [f"snat-{ID}", f"qdhcp-{ID}x", f"qdhcp-{ID[:-1]}", f"qdhcp-{ID.upper()}", "qdhcp-", ID]
)
def test_names_of_others(name):
    """Only Neutron's prefixes with a whole UUID count."""
    assert place_of(name) is None


def test_names_of_neutrons():
    """Each prefix stands for its header, unless the operator leaves it out."""
    assert place_of(f"qdhcp-{ID}") == Origin(Via.NETWORK, ID)
    assert place_of(f"qrouter-{ID}") == Origin(Via.ROUTER, ID)
    assert place_of(f"ovnmeta-{ID}") == Origin(Via.OVN, ID)
    assert place_of(f"ovnmeta-{ID}", {"qdhcp"}) is None
    assert str(SPOT) == f"qdhcp-{ID}/[fe80::a9fe:a9fe%7]:80"
