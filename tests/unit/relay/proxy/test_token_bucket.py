"""How often a guest may ask."""

from ipaddress import ip_address

from firstlight.relay.contract import Found, Guest, Origin, Via
from firstlight.relay.link_local import address_of
from firstlight.relay.proxy.rate_limit import RateLimit
from firstlight.relay.proxy.token_bucket import TokenBucket, Window

PLACE = Origin(Via.NETWORK, "7a9c5c2e-0b51-4b0e-9b2e-3d0c6a0f1c11")
MAC = "fa:16:3e:12:34:56"
IPV4 = Guest(PLACE, ip_address("192.0.2.10"))
IPV6 = Guest(PLACE, address_of(MAC))


class Clock:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


def test_burst_then_rate():
    """A silent guest may ask `burst` times at once, then as often as tokens come back."""
    clock = Clock()
    bucket = TokenBucket(2.0, 28, clock)
    assert [bucket.take("a") for _ in range(28)] == [0.0] * 28
    assert bucket.take("a") == 0.5
    assert bucket.take("b") == 0.0
    clock.now += 0.5
    assert bucket.take("a") == 0.0
    assert bucket.take("a") > 0.0


def test_tokens_are_not_saved_up():
    """However long it was silent, no more than `burst`."""
    clock = Clock()
    bucket = TokenBucket(100.0, 3, clock)
    bucket.take("a")
    clock.now += 3600
    assert [bucket.take("a") for _ in range(4)][:3] == [0.0] * 3
    assert bucket.take("a") > 0


def test_forgets_the_longest_silent(monkeypatch):
    """Memory is bounded: the guest that was silent for longest is forgotten."""
    monkeypatch.setattr("firstlight.relay.proxy.token_bucket._MOST", 2)
    bucket = TokenBucket(1.0, 1, Clock())
    for who in "abc":
        bucket.take(who)
    assert bucket.take("c") > 0
    assert bucket.take("a") == 0.0


def test_window_refuses_the_eleventh():
    """Ten in a window pass, the eleventh is one too many, and refused ones count on."""
    clock = Clock()
    window = Window(10, 10, clock)
    assert [window.over("a") for _ in range(12)] == [False] * 10 + [True] * 2
    assert not window.over("b")
    clock.now += 25
    assert not window.over("a")


def test_window_slides():
    """Of the window before, the part counts that a window ending now still covers."""
    clock = Clock()
    window = Window(10, 10, clock)
    for _ in range(10):
        window.over("a")
    clock.now += 15  # half of the next window: five of the ten still count
    assert [window.over("a") for _ in range(6)] == [False] * 5 + [True]


def fairness(known=(), *, bucket=None, windows=(), versions=(4,)):
    found = Found("i", "p", "port-1", MAC)
    return RateLimit(lambda guest: found if guest in known else None, bucket, windows, versions)


def test_one_port_is_one_guest():
    """Once recognised, IPv4 and IPv6 take from the same bucket, and before from two."""
    together = fairness((IPV4, IPV6), bucket=TokenBucket(0.1, 1, Clock()))
    assert together.refusal(IPV4) is None
    refused = together.refusal(IPV6)
    assert refused.status == 429
    assert refused.headers == ((b"Retry-After", b"10"),)
    assert together.refused == {"relay": 1}
    apart = fairness((), bucket=TokenBucket(0.1, 1, Clock()))
    assert apart.refusal(IPV4) is apart.refusal(IPV6) is None


def test_two_servers_with_ports_of_one_name():
    """Port ids of the store are unique within a server; each server has a bucket all the same."""
    servers = {IPV4: Found("one", "p", "port", MAC), IPV6: Found("other", "p", "port", MAC)}
    apart = RateLimit(servers.get, TokenBucket(0.1, 1, Clock()))
    assert apart.refusal(IPV4) is apart.refusal(IPV6) is None
    assert apart.refusal(IPV6).status == 429


def test_windows_count_their_versions():
    """Neutron's windows count IPv4, IPv6, or both together, as ip_versions says."""
    four = fairness((IPV4, IPV6), windows=[Window(10, 1, Clock())])
    assert four.refusal(IPV6) is four.refusal(IPV6) is four.refusal(IPV4) is None
    assert four.refusal(IPV4).status == 429
    both = fairness((IPV4, IPV6), windows=[Window(10, 1, Clock())], versions=(4, 6))
    assert both.refusal(IPV4) is None
    assert both.refusal(IPV6).status == 429


def test_no_limits():
    """Without bucket and windows nobody is ever refused."""
    free = fairness()
    assert all(free.refusal(IPV4) is None for _ in range(1000))
