"""URLs of upstreams."""

import pytest

from firstlight.relay.upstream.address import BadUpstream, parse


@pytest.mark.parametrize(
    ("url", "authority"),
    [
        ("http://nova:8775", "nova:8775"),
        ("http://nova:8775/", "nova:8775"),
        ("http://nova", "nova:80"),
        ("https://[2001:db8::1]", "[2001:db8::1]:443"),
    ],
)
def test_upstreams(url, authority):
    """Host and port, the scheme's own if none is given, IPv6 in brackets."""
    assert parse(url, None).authority == authority


@pytest.mark.parametrize(
    "url", ["nova:8775", "ftp://nova", "http://", "http://nova/path", "http://nova:x", "http://a@b"]
)
def test_no_upstreams(url):
    """Anything else is refused with what one looks like."""
    with pytest.raises(BadUpstream, match="http://HOST:PORT"):
        parse(url, None)


def test_no_password_in_the_message():
    """What stands before the host may be a password, and is not repeated."""
    with pytest.raises(BadUpstream) as refused:
        parse("http://user:pa55@host/", None)
    assert "pa55" not in str(refused.value)
