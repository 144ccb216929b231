"""MACs and the link-local addresses made from them."""

from ipaddress import IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firstlight.relay.link_local import address_of, mac_of


def test_the_sheets_example():
    """metadata-proxy §3.3's guest."""
    assert mac_of(IPv6Address("fe80::f816:3eff:fe12:3456")) == "fa:16:3e:12:34:56"


@given(st.binary(min_size=6, max_size=6))
def test_there_and_back(mac):
    """Every MAC is found again in the address made from it."""
    assert mac_of(address_of(mac.hex(":"))) == mac.hex(":")


@pytest.mark.parametrize(
    "address", ["fe80::f816:3e12:1234:5678", "2001:db8::f816:3eff:fe12:3456", "fe80::1", "::1"]
)
def test_made_otherwise(address):
    """No MAC is read out of an address that was not made from one, or is not link-local."""
    assert mac_of(IPv6Address(address)) is None
