"""Real Neutron and real Keystone go away and come back; nothing of ours is restarted."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from typing import Any

import pytest

from firstlight.concurrency.workers import Workers
from firstlight.metadata.cache.cache import Cache, CacheEntry
from firstlight.neutron import Neutron
from firstlight.sources.ports import NeutronUnavailable

Groups = tuple[str, ...]


@pytest.fixture
def ours(town: Any) -> Iterator[Neutron]:
    client = town.cloud.ours(deadline=5.0, http_retries="1")
    yield client
    client.close()


def token(neutron: Neutron) -> str:
    """The token the client has now."""
    return str(neutron._lists._adapter.get_token())


def test_stopped_and_back(town: Any, ours: Neutron) -> None:
    """While Neutron is down that is what is said, at once; its answers return with it."""
    one, neutron = town.instances["one"], town.cloud.neutron
    known = ours.security_groups([one])
    neutron.stop()
    try:
        with pytest.raises(NeutronUnavailable, match="cannot be reached: Connection refused"):
            ours.security_groups([one])
        with pytest.raises(NeutronUnavailable, match="cannot be reached: Connection refused"):
            ours.device_at_address("10.0.0.11")
    finally:
        neutron.start()
    assert ours.security_groups([one]) == known


def test_frozen_and_back(town: Any) -> None:
    """A Neutron that accepts and says nothing costs the deadline and no more."""
    client, neutron = town.cloud.ours(deadline=2.0), town.cloud.neutron
    one = town.instances["one"]
    asks: tuple[Callable[[], object], ...] = (
        lambda: client.security_groups([one]),
        lambda: client.device_at_address("10.0.0.11"),
        lambda: client.device_at_provider("lb-red", "10.0.0.11"),
    )
    try:
        token(client)  # Keystone's part; here it is Neutron that is slow
        neutron.pause()
        try:
            for ask in asks:
                with pytest.raises(NeutronUnavailable, match="did not answer within 2 s"):
                    ask()
        finally:
            neutron.resume()
        assert client.security_groups([one]) == {one: ("web",)}
    finally:
        client.close()


def test_token_that_neutron_refuses_is_renewed(town: Any, ours: Neutron) -> None:
    """A revoked token costs one more request, and nobody notices."""
    one, neutron = town.instances["one"], town.cloud.neutron
    known, old = ours.security_groups([one]), token(ours)
    town.cloud.keystone.revoke(old)
    neutron.stop()  # it remembers which tokens were good
    neutron.start()
    assert ours.security_groups([one]) == known
    assert token(ours) != old


def test_expired_token_is_renewed(town: Any) -> None:
    """A token is used again until shortly before its end, and then another one is asked for."""
    one, client = town.instances["one"], town.cloud.ours()
    try:
        with town.cloud.short_tokens(125):  # keystoneauth renews two minutes early
            first = token(client)
            assert token(client) == first
            time.sleep(5.5)
            assert client.security_groups([one]) == {one: ("web",)}
            assert token(client) != first
    finally:
        client.close()


def test_keystone_stopped_and_back(town: Any, ours: Neutron) -> None:
    """Without Keystone a token that is there goes on; who has none says whose fault it is."""
    one, keystone = town.instances["one"], town.cloud.keystone
    known = ours.security_groups([one])
    fresh = town.cloud.ours()
    keystone.stop()
    try:
        assert ours.security_groups([one]) == known
        with pytest.raises(NeutronUnavailable, match="no service token: Keystone: cannot be reac"):
            fresh.security_groups([one])
    finally:
        keystone.start()
    assert fresh.security_groups([one]) == known
    fresh.close()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"password": "wrong"}, "no service token: Keystone: .*HTTP 401"),
        ({"region_name": "elsewhere"}, "no internal/public endpoint .*in region elsewhere; check"),
        (
            {"service_type": "netzwerk"},
            "no internal/public endpoint of a service of type netzwerk in region lab; ",
        ),
        ({"endpoint_override": "http://127.0.0.1:9/"}, "cannot be reached: Connection refused"),
    ],
)
def test_wrong_options_are_named(town: Any, options: dict[str, str], said: str) -> None:
    """The sentence tells the operator which of Keystone, catalog and Neutron to look at."""
    client = town.cloud.ours(**options)
    try:
        with pytest.raises(NeutronUnavailable, match=said):
            client.device_at_address("10.0.0.11")
    finally:
        client.close()


def now(memory: Cache[Groups], key: str) -> CacheEntry[Groups]:
    found = memory.get(key)
    return found.result(20) if isinstance(found, Future) else found


def test_memory_around_it(town: Any, ours: Neutron) -> None:
    """Shared, remembered and served stale with the reason, by the service's own memory."""
    one, nobody, neutron = town.instances["one"], town.instances["no ports"], town.cloud.neutron
    pool = Workers("lookup", threads=4, waiting=16)
    memory: Cache[Groups] = Cache(
        lambda key: ours.security_groups([key])[key],
        pool,
        clock=time.monotonic,
        ttl=0.5,
        negative_ttl=0.5,
        stale_limit=600,
        size=lambda names: sum(map(len, names)),
        limit=1 << 20,
    )
    try:
        assert now(memory, one).value == ("web",)
        assert now(memory, nobody).value == ()  # empty is an answer
        neutron.stop()
        try:
            time.sleep(0.6)
            stale = now(memory, one)
            assert (stale.value, stale.problem) == (("web",), memory.away)
            assert "Connection refused" in str(stale.problem)
            with pytest.raises(NeutronUnavailable.__base__):
                now(memory, town.instances["many"])  # never seen: an error, not "none"
        finally:
            neutron.start()
        until = time.monotonic() + 20
        while now(memory, one).problem is not None and time.monotonic() < until:
            time.sleep(0.1)
        assert now(memory, one).problem is None
    finally:
        pool.close()
