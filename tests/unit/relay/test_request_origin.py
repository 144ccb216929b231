"""Who asks: a proxy's word counts, a guest's never."""

import pytest

from firstlight.httpd.protocol.messages import Request
from firstlight.relay.contract import Origin, Via
from firstlight.relay.request_origin import UnknownOrigin, guest_of
from support.relay.agent_thread import ADDRESS, NETWORK, ROUTER, guest


def asked(peer="", listener=None, **headers):
    named = {name.replace("_", "-").encode(): value.encode() for name, value in headers.items()}
    return Request("GET", "/", named, peer=peer, listener=listener)


@pytest.mark.parametrize("via", list(Via))
def test_each_kind_of_place(via):
    """Network, router and OVN ids are each accepted, in any case of letters."""
    headers = {via.value.lower(): NETWORK.upper(), "x-forwarded-for": ADDRESS}
    assert guest_of(asked(**headers)) == guest(via=via)


@pytest.mark.parametrize(
    ("forwarded", "address"),
    [
        ("192.0.2.10", "192.0.2.10"),
        ("::ffff:192.0.2.10", "192.0.2.10"),
        ("2001:DB8::1", "2001:db8::1"),
        ("fe80::f816:3eff:fe12:3456", "fe80::f816:3eff:fe12:3456"),
        ("fe80::f816:3eff:fe12:3456%tap0", "fe80::f816:3eff:fe12:3456"),
        ("203.0.113.7, 192.0.2.10", "192.0.2.10"),
        ("forged,,, 192.0.2.10", "192.0.2.10"),
    ],
)
def test_addresses(forwarded, address):
    """IPv4, v4-mapped, IPv6 with and without zone; of several, the proxy's own, which is last."""
    asks = asked(x_neutron_network_id=NETWORK, x_forwarded_for=forwarded)
    assert guest_of(asks) == guest(address)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x_neutron_network_id": NETWORK, "x_neutron_router_id": ROUTER},
        {"x_neutron_network_id": NETWORK, "x_ovn_network_id": NETWORK},
        {"x_neutron_network_id": f"{NETWORK}, {NETWORK}"},
        {"x_ovn_network_id": f"{ROUTER}, {NETWORK}"},
        {"x_neutron_network_id": ""},
        {"x_neutron_network_id": "../../etc"},
        {"x_neutron_network_id": NETWORK, "x_forwarded_for": ""},
        {"x_neutron_network_id": NETWORK, "x_forwarded_for": "unknown"},
        {"x_neutron_network_id": NETWORK, "x_forwarded_for": "192.0.2.10, "},
    ],
)
def test_unplaced(headers):
    """No id, two ids, one id twice, and anything that is no id or no address is refused."""
    with pytest.raises(UnknownOrigin):
        guest_of(asked(**{"x_forwarded_for": ADDRESS, **headers}))


def test_no_address():
    """Without X-Forwarded-For nobody is asking."""
    with pytest.raises(UnknownOrigin, match="X-Forwarded-For"):
        guest_of(asked(x_neutron_network_id=NETWORK))


def test_where_we_are_the_proxy():
    """On a listener that stands for a place, that and the peer count, and no header does."""
    here = Origin(Via.ROUTER, ROUTER)
    forged = {"x_neutron_network_id": NETWORK, "x_forwarded_for": "203.0.113.7"}
    asks = asked("::ffff:192.0.2.10", here, **forged)
    assert guest_of(asks) == guest(via=Via.ROUTER, place=ROUTER)
