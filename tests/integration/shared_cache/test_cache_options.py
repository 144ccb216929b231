"""[cache] as operators have it: every name of memcached and redis, and what cannot be honoured."""

import subprocess

import pytest

from firstlight import conf as configuration
from firstlight.instance import Instance
from firstlight.shared_cache import BadCache, open_shared_cache
from support.servers.daemons import memcached_at, redis_at, running
from support.servers.databases import free_port

A = "00000000-0000-4000-8000-00000000000a"


@pytest.fixture
def load(tmp_path):
    def load(api: str = "", **cache: str):
        lines = "".join(f"{key} = {value}\n" for key, value in cache.items())
        path = tmp_path / "nova.conf"
        path.write_text(f"[api]\n{api}\n[cache]\n{lines}")
        return configuration.load("metadata", [str(path)])

    return load


def names(cache) -> list[str]:
    found = [place.name for place in cache.places]
    cache.close()
    return found


@pytest.mark.parametrize(
    "backend",
    [
        "oslo_cache.memcache_pool",
        "dogpile.cache.memcached",
        "dogpile.cache.pymemcache",
        "dogpile.cache.pylibmc",
        "dogpile.cache.bmemcached",
    ],
)
def test_every_memcached_is_memcached(load, backend):
    """Whatever driver an operator chose for Nova, the servers are the same."""
    conf = load(enabled="true", backend=backend, memcache_servers="one:11211, inet6:[::1]:11212")
    assert names(open_shared_cache(conf, ["s"])) == ["one:11211", "inet6:[::1]:11212"]


@pytest.mark.parametrize(
    ("name", "address"),
    [
        (
            "inet6:[memcached-0.memcached.openstack.svc]:11211",
            "memcached-0.memcached.openstack.svc",
        ),
        ("inet:[memcached-0.memcached.openstack.svc]:11211", "memcached-0.memcached.openstack.svc"),
        ("inet6:[::1]", "::1"),
        ("[::1]:11211", "::1"),
        ("inet:cache:11211", "cache"),
        ("cache", "cache"),
    ],
)
def test_a_name_in_brackets(load, name, address, monkeypatch):
    """Deployment tools write names where addresses are expected; the cache is used."""
    asked = []

    def look(*args, **_):
        asked.append(args[:2])
        raise OSError("not looked up here")

    monkeypatch.setattr("socket.getaddrinfo", look)
    conf = load(enabled="true", backend="dogpile.cache.memcached", memcache_servers=name)
    shared = open_shared_cache(conf, ["s"])
    [place] = shared.places
    place.probe()
    shared.close()
    assert asked == [(address, 11211)]


def test_no_servers(load, caplog):
    """An empty list shares nothing, as in Nova, and the service starts and says so."""
    conf = load(enabled="true", backend="dogpile.cache.memcached", memcache_servers="")
    assert open_shared_cache(conf, ["s"]) is None
    assert "memcache_servers is empty" in caplog.text


def test_a_cache_that_is_off_is_not_looked_at(load):
    """Nova reads nothing else of the section then."""
    assert (
        open_shared_cache(load(enabled="false", redis_db="x", memcache_servers=":"), ["s"]) is None
    )
    with pytest.raises(configuration.ConfigError, match="redis_db"):
        load(enabled="true", redis_db="x")


def test_a_bare_ipv6_address_of_redis(load):
    """It has no port, as oslo.utils reads it."""
    conf = load(enabled="true", backend="dogpile.cache.redis", redis_server="2001:db8::1")
    assert names(open_shared_cache(conf, ["s"])) == ["2001:db8::1"]


def test_the_older_way_to_name_servers(load):
    """backend_argument = url:..., for both."""
    conf = load(
        enabled="true", backend="dogpile.cache.memcached", backend_argument="url:a:11211,b:11211"
    )
    assert names(open_shared_cache(conf, ["s"])) == ["a:11211", "b:11211"]
    conf = load(
        enabled="true",
        backend="dogpile.cache.redis",
        backend_argument="url:redis://u:secret@cache:6379/3",
    )
    assert names(open_shared_cache(conf, ["s"])) == ["cache:6379/3"]


def test_a_password_is_no_part_of_a_name(load):
    """Wherever in the URL it stands: names are in logs, metrics and /readyz."""
    for url in ("redis://cache/3?password=secret", "redis://:sec@ret/s@cache/3", "rediss://cache"):
        conf = load(enabled="true", backend="dogpile.cache.redis", backend_argument=f"url:{url}")
        (name,) = names(open_shared_cache(conf, ["s"]))
        assert name in ("cache/3", "cache"), name


@pytest.mark.parametrize("url", ["cache:6379", "http://:secret@cache", "redis://:secret@cache:x"])
def test_a_url_that_is_none_stops_the_start_by_name(load, url):
    """The message names the option and shows no password."""
    conf = load(enabled="true", backend="dogpile.cache.redis", backend_argument=f"url:{url}")
    with pytest.raises(BadCache, match="backend_argument") as raised:
        open_shared_cache(conf, ["s"])
    assert "secret" not in str(raised.value)
    assert raised.value.__cause__ is None


@pytest.mark.parametrize(
    "options",
    [
        {"enabled": "false", "backend": "dogpile.cache.redis"},
        {"enabled": "true"},
        {"enabled": "true", "backend": "dogpile.cache.memory"},
        {"enabled": "true", "backend": "oslo_cache.etcd3gw"},
        {
            "enabled": "true",
            "backend": "oslo_cache.memcache_pool",
            "memcache_sasl_enabled": "true",
        },
    ],
)
def test_what_shares_nothing_is_no_shared_cache(load, options, caplog):
    """Off, in one process's memory, or not supported: the service starts, and says why."""
    assert open_shared_cache(load(**options), ["s"]) is None
    assert ("is not shared" in caplog.text) == (options["enabled"] == "true")


def test_no_expiration_no_sharing(load):
    """metadata_cache_expiration = 0 keeps nothing, here neither."""
    conf = load("metadata_cache_expiration = 0", enabled="true", backend="dogpile.cache.redis")
    assert open_shared_cache(conf, ["s"]) is None


@pytest.mark.parametrize(
    "options",
    [
        {"memcache_servers": "one:port"},
        {"memcache_servers": "one:11211/x"},
        {"memcache_servers": "one:70000"},
        {"memcache_servers": "::1"},
        {"memcache_servers": "one,,two"},
        {"memcache_servers": ":11211"},
        {"tls_enabled": "true", "tls_cafile": "/nowhere/ca.pem"},
    ],
)
def test_a_value_that_cannot_be_used_stops_the_start_by_name(load, options):
    """The message names section and option."""
    conf = load(enabled="true", backend="oslo_cache.memcache_pool", **options)
    with pytest.raises(BadCache, match=rf"\[cache\].*{next(iter(options))[:4]}"):
        open_shared_cache(conf, ["s"])


def test_an_empty_secret_is_warned_of(load, caplog):
    """Without a secret the signature keeps nobody out."""
    conf = load(enabled="true", backend="dogpile.cache.redis")
    open_shared_cache(conf, [""]).close()
    assert "metadata_proxy_shared_secret is empty" in caplog.text


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate for 127.0.0.1 that is its own authority."""
    directory = tmp_path_factory.mktemp("tls")
    directory.chmod(0o755)
    key, cert = directory / "key.pem", directory / "cert.pem"
    subprocess.run(
        [
            *"openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=127.0.0.1".split(),
            *("-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", cert),
        ],
        check=True,
        capture_output=True,
    )
    key.chmod(0o644)
    return key, cert


@pytest.mark.parametrize("kind", ["memcached", "redis"])
def test_tls_and_passwords(load, certificate, kind):
    """TLS with a CA of the operator's; redis with a password; nobody else gets in."""
    key, cert = certificate

    def make(home, port):
        daemon = (memcached_at if kind == "memcached" else redis_at)(home, port)
        extra = (
            f"-Z -o ssl_chain_cert={cert},ssl_key={key}"
            if kind == "memcached"
            else f"--tls-port {port} --port 0 --tls-cert-file {cert} --tls-key-file {key}"
            f" --tls-ca-cert-file {cert} --tls-auth-clients no --requirepass hidden"
        ).split()
        daemon._command = [*daemon._command, *extra]
        return daemon

    for daemon in running(make):
        options = {
            "enabled": "true",
            "backend": "oslo_cache.memcache_pool" if kind == "memcached" else "dogpile.cache.redis",
            "memcache_servers": f"127.0.0.1:{daemon.port}",
            "redis_server": f"127.0.0.1:{daemon.port}",
            "redis_password": "hidden",
            "socket_timeout": "10",
        }
        tls = {"tls_enabled": "true", "tls_cafile": str(cert)}
        assert shares(open_shared_cache(load(**options, **tls), ["s"]))
        assert not shares(open_shared_cache(load(**options, tls_enabled="true"), ["s"]))
        assert not shares(open_shared_cache(load(**options), ["s"]))


def shares(cache) -> bool:
    instance = Instance(uuid=A, project_id="p", name="a", hostname="a")
    cache.instance(A, lambda _uuid: instance)
    cache.instance(A, lambda _uuid: instance)
    cache.close()
    return bool(cache.outcomes["found"])


def test_the_master_is_found_by_its_sentinels(load, tmp_path):
    """dogpile.cache.redis_sentinel."""
    for daemon in running(redis_at):
        config = tmp_path / "sentinel.conf"
        port = free_port()
        config.write_text(
            f"port {port}\nbind 127.0.0.1\ndir {tmp_path}\n"
            f"sentinel monitor mymaster 127.0.0.1 {daemon.port} 1\n"
        )

        def make(home, _port, config=config, port=port):
            found = redis_at(home, port)
            found._command = [found._command[0], str(config), "--sentinel"]
            return found

        for sentinel in running(make):
            conf = load(
                enabled="true",
                backend="dogpile.cache.redis_sentinel",
                redis_sentinels=f"127.0.0.1:{sentinel.port}",
                socket_timeout="10",
            )
            assert shares(open_shared_cache(conf, ["s"]))


@pytest.mark.parametrize("kind", ["memcached", "redis"])
def test_a_server_that_keeps_less_is_not_away(load, kind):
    """One record that it refuses, or a full server, leaves it in use for all others."""

    def make(home, port):
        daemon = (memcached_at if kind == "memcached" else redis_at)(home, port)
        extra = "-I 128k -o slab_chunk_max=64" if kind == "memcached" else "--maxmemory 1kb"
        daemon._command = [*daemon._command, *extra.split()]
        return daemon

    large = Instance(uuid=A, project_id="p", name="a", hostname="a", metadata={"k": "v" * 200_000})
    for daemon in running(make):
        cache = open_shared_cache(
            load(
                enabled="true",
                backend=f"dogpile.cache.{kind}",
                memcache_servers=f"127.0.0.1:{daemon.port}",
                redis_server=f"127.0.0.1:{daemon.port}",
                socket_timeout="10",
            ),
            ["s"],
        )
        assert cache.instance(A, lambda _uuid: large)[0] == large
        [place] = cache.places
        assert place.trouble() is None
        cache.close()
