"""Values as deployers write them: real Nova and its libraries make the same of them."""

import json
import subprocess
from pathlib import Path

import pytest

from firstlight.conf import ConfigError, load
from firstlight.shared_cache.deploy import BadCache, _memcached_address
from firstlight.sources.nova.engine import resolved
from lab.environment import needed

OWN = "mysql+pymysql://nova:p%40ss@db1:3307/nova_cell0?charset=utf8#x"
URLS = [
    ("{scheme}://{username}:{password}@{hostname}:{port}/nova_cell1?{query}#{fragment}", OWN),
    ("mysql://other/{path}", OWN),
    ("mysql+pymysql://nova:pa{ss}w%25d@127.0.0.1/c", OWN),
    ("mysql+pymysql://nova:pa{ss}w%25d@127.0.0.1/c", None),
    ("mysql+pymysql://nova:pa{{ss}}w@127.0.0.1/c", OWN),
    ("mysql+pymysql://nova:}@127.0.0.1/c", OWN),
    ("mysql+pymysql://nova:{0}@127.0.0.1/c", OWN),
    ("{scheme}://{hostname}/x", "mysql://u:p@host:port/x"),
    ("{scheme}://{hostname}/x", None),
    ("{scheme}://{username}:{password}@{hostname}/x", "mysql://u:a{b}c@host/x"),
    ("mysql://{username2}:{password1}@{hostname2}:{port1}/x", "mysql://a:b@one:1,c:d@two/nova"),
    ("mysql://{username1}@{hostname1}/x", "mysql://one,two/nova"),
]
SERVERS = [
    "cache",
    "cache:11212",
    "inet:cache:11212",
    "inet6:[cache.svc]:11212",
    "inet6:[::1]",
    "unix:/run/memcached.sock",
    "::1",
    "a:b:c",
    ":11211",
    "cache:",
    "cache:x",
    "",
]
BACKENDS = [
    *(f"oslo_cache.{name}" for name in ("memcache_pool", "dict", "etcd3gw", "memcached")),
    *(f"dogpile.cache.{name}" for name in ("pymemcache", "memcached", "pylibmc", "bmemcached")),
    *(f"dogpile.cache.{name}" for name in ("redis", "redis_sentinel", "redis_cluster", "valkey")),
    *(f"dogpile.cache.{name}" for name in ("dbm", "memory", "memory_pickle", "null", "memcache")),
    *("", "memcached", "Dogpile.cache.redis", "dogpile.cache.redis ", "'dogpile.cache.redis'"),
]


@pytest.fixture(scope="module")
def nova():
    """What real Nova makes of all of them."""
    script = Path(__file__).parent / "inside_values.py"
    done = subprocess.run(
        [needed() / "bin" / "python", "-P", script],
        input=json.dumps({"urls": URLS, "servers": SERVERS, "backends": BACKENDS}),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


def test_urls_of_cells(nova):
    """A template is filled, and what cannot be filled is no template."""
    assert [resolved(url, own) for url, own in URLS] == nova["urls"]


def test_addresses_of_memcached(nova):
    """What its client takes is taken, and what it refuses is refused."""

    def ours(name):
        try:
            return _memcached_address(name)
        except BadCache:
            return None

    assert [
        address if (address := ours(name)) is None or isinstance(address, str) else list(address)
        for name in SERVERS
    ] == nova["servers"]


def test_backends_of_the_cache(nova, tmp_path):
    """A name that Nova refuses is refused by name; what it starts with is taken."""

    def ours(backend):
        conf = tmp_path / "nova.conf"
        conf.write_text(
            f"[cache]\nenabled = true\nbackend = {backend}\n[firstlight]\nsource = store\n"
        )
        try:
            load("metadata", [str(conf)], environ={})
        except ConfigError as refused:
            assert "option backend" in str(refused)
            return False
        return True

    assert {name: ours(name) for name in BACKENDS} == nova["backends"]
    assert sorted(set(nova["backends"].values())) == [False, True]
