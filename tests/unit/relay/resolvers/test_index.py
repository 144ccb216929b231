"""Ports are found by address, or the MAC in a link-local one, and forgotten with their source."""

from ipaddress import ip_address

from firstlight.relay.contract import Ambiguous, Found, Guest, Nobody, Origin, Via
from firstlight.relay.resolvers.index import Index
from firstlight.relay.resolvers.ports import Port

MAC, OTHER = "fa:16:3e:00:00:01", "fa:16:3e:00:00:02"


def port(name="p1", mac=MAC, address="192.0.2.10", server="s1", project="t1"):
    return Port(name, "n1", mac, (address,), server, "compute:nova", project)


def resolve(index, address="192.0.2.10", network="n1", via=Via.NETWORK):
    return index.resolve(Guest(Origin(via, network), ip_address(address)))


def test_found():
    """On its own network alone, and never behind a router."""
    index = Index()
    index.put("row", [port()])
    assert resolve(index) == Found("s1", "t1", "p1", MAC)
    assert resolve(index, "fe80::f816:3eff:fe00:1") == Found("s1", "t1", "p1", MAC)
    assert resolve(index, "192.0.2.11") == Nobody()
    assert resolve(index, network="n2") == Nobody()
    assert resolve(index, via=Via.ROUTER) == Nobody()
    assert resolve(index, "fe80::1") == Nobody()


def test_two_have_it():
    """No answer is better than a wrong one; when one is gone the other is found."""
    index = Index()
    index.put("one", [port()])
    index.put("two", [port("p2", OTHER, server="s2")])
    assert resolve(index) == Ambiguous(("p1", "p2"))
    index.drop("one")
    assert resolve(index) == Found("s2", "t1", "p2", OTHER)


def test_other_macs_are_those_of_the_same_server():
    """Another project's port that names this server's id adds none."""
    index = Index()
    index.put("one", [port(), port("p2", OTHER, "192.0.2.11")])
    index.put("two", [port("p3", "fa:16:3e:00:00:03", "192.0.2.12", project="t2")])
    assert resolve(index).other_macs == (OTHER,)


def test_a_change_leaves_nothing_of_before():
    """What a source had is forgotten, and nothing is kept of a source without ports."""
    index = Index()
    index.put("row", [port()])
    index.put("row", [port(address="192.0.2.20")])
    assert resolve(index) == Nobody()
    assert resolve(index, "192.0.2.20").port_id == "p1"
    index.put("row", [])
    assert (len(index), resolve(index, "192.0.2.20")) == (0, Nobody())
    assert not index._at
