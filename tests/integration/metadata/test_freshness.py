"""Two metadata services with a real memcached between them; and what is said of what is away."""

import json
import threading
from collections.abc import Iterator
from concurrent.futures import Future

import pytest
from prometheus_client import generate_latest

from firstlight import conf as configuration
from firstlight.metadata.backend import BackendError
from firstlight.metadata.deploy import Deployment
from firstlight.shared_cache import SharedCache, open_shared_cache
from firstlight.sources.store import Store
from support.servers.daemons import Daemon, memcached_at, running
from support.servers.databases import eventually, free_port
from support.servers.metadata_service import A, B, Bench, ask, begin, server, signed


@pytest.fixture
def memcached() -> Iterator[Daemon]:
    """A running memcached."""
    yield from running(memcached_at)


class Hosts:
    """Benches on one store, each with its own service and its own connection to memcached."""

    def __init__(self, daemon: Daemon, store: Store, directory) -> None:
        path = directory / "nova.conf"
        path.write_text(
            "[cache]\nenabled = true\nbackend = dogpile.cache.memcached\nsocket_timeout = 5\n"
            f"memcache_servers = 127.0.0.1:{daemon.port}\n"
        )
        self._conf = configuration.load("metadata", [str(path)])
        self._store = store
        self.made: list[tuple[Bench, SharedCache]] = []

    def host(self):
        """One more: its bench (whose shelf counts reads), and its service."""
        bench, shared = Bench(self._store), open_shared_cache(self._conf, ["s3"])
        assert shared is not None
        self.made.append((bench, shared))
        return bench, bench.service(shared=shared)


@pytest.fixture
def hosts(memcached, tmp_path) -> Iterator[Hosts]:
    store = Store.open(f"sqlite:///{tmp_path}/store.sqlite")
    store.add_all([server(A, "a"), server(B, "b", "192.0.2.11")])
    hosts = Hosts(memcached, store, tmp_path)
    yield hosts
    for bench, shared in hosts.made:
        bench.close()
        shared.close()
    store.close()


def name(service) -> str:
    return ask(service, headers=signed()).body.decode()


def test_what_one_host_has_read_the_other_answers_with(hosts):
    """The same bytes, and its source is not asked."""
    (_, one), (bench, two) = hosts.host(), hosts.host()
    document = "/openstack/latest/network_data.json"
    first = ask(one, document, signed()).body
    assert ask(two, document, signed()).body == first
    assert bench.shelf.reads == 0


def test_a_change_that_one_host_is_told_of_is_not_undone_by_the_other(hosts):
    """After it nobody gets from the other what it had read before."""
    (_, one), (_, two) = hosts.host(), hosts.host()
    assert name(one) == "a.novalocal"
    hosts._store.update(server(A, "new"))
    two.changed(A)
    assert name(two) == "new.novalocal"
    one.changed(A)
    assert name(one) == "new.novalocal"


def test_what_was_read_before_a_change_and_came_after_it_is_dropped(hosts):
    """A slow look-up that a change overtook is answered by a new one, on both hosts."""
    (bench, one), (_, two) = hosts.host(), hosts.host()
    bench.shelf.hold = threading.Event()
    waiting = begin(one, headers=signed())
    assert isinstance(waiting, Future)
    assert eventually(lambda: bench.shelf.reads == 1)
    hosts._store.update(server(A, "new"))
    one.changed(A)
    bench.shelf.hold.set()
    assert waiting.result(10).body == b"new.novalocal"
    assert name(two) == "new.novalocal"


def test_a_posted_password_is_seen_by_the_other_host(hosts):
    """It is part of what is shared, so what is shared is read anew."""
    (_, one), (_, two) = hosts.host(), hosts.host()
    path = "/openstack/latest/password"
    assert ask(one, path, signed()).body == b""
    assert ask(one, path, signed(), method="POST", body=b"secret").status == 200
    assert ask(two, path, signed()).body == b"secret"


def test_without_memcached_every_host_reads_for_itself(hosts, memcached):
    """Nothing that a guest sees depends on it."""
    (_, one), (bench, two) = hosts.host(), hosts.host()
    memcached.stop()
    assert name(one) == name(two) == "a.novalocal"
    assert bench.shelf.reads == 1


def deployment(tmp_path, **options: str) -> Deployment:
    """A service on a Nova that is not there, from an operator's file."""
    path = tmp_path / "nova.conf"
    path.write_text(
        f"[api_database]\nconnection = sqlite:///{tmp_path}/api.sqlite\n"
        "[neutron]\nauth_type = none\nendpoint_override = http://127.0.0.1:1\n"
        "metadata_proxy_shared_secret = s3\nservice_metadata_proxy = true\n"
        + "\n".join(options.values())
    )
    return Deployment(configuration.load("metadata", [str(path)]))


def test_readyz_says_what_answers_are_less_fresh_without(tmp_path, memcached, caplog):
    """A broker and a cache that are away degrade the service; log and scrape say so as well."""
    broker = free_port()
    service = deployment(
        tmp_path,
        messaging="[oslo_messaging_notifications]\n"
        f"transport_url = rabbit://guest:hidden@127.0.0.1:{broker}/\n"
        "[firstlight]\nnotifications = true\n"
        f"notification_pool = {tmp_path.name}-{broker}\n",
        cache="[cache]\nenabled = true\nbackend = dogpile.cache.memcached\n"
        f"memcache_servers = 127.0.0.1:{memcached.port}\n",
    )
    try:
        cache = f"shared cache 127.0.0.1:{memcached.port}"
        assert service.concerns()[cache] is None
        assert eventually(lambda: service.concerns()["notifications"] is not None, 60)
        assert "hidden" not in json.dumps(service.concerns())
        memcached.stop()
        service.service.changed(A)
        assert service.concerns()[cache] is not None
        assert eventually(lambda: f"{cache} is away" in caplog.text, 60)
        assert "notifications is away" in caplog.text
        metrics = generate_latest(service.registry).decode()
        assert 'firstlight_dependency_away{dependency="notifications"} 1.0' in metrics
        assert f'firstlight_dependency_away{{dependency="{cache}"}} 1.0' in metrics
        assert 'firstlight_shared_cache_total{outcome="not-forgotten"} 1.0' in metrics
        assert "# TYPE firstlight_notifications_total counter" in metrics
    finally:
        service.close()


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[firstlight]\nnotifications = true\n[DEFAULT]\ntransport_url = nonsense\n", "transport"),
        ("[cache]\nenabled=true\nbackend=dogpile.cache.redis\nredis_server=a:b\n", "redis_server"),
    ],
)
def test_what_cannot_be_used_stops_the_start_by_name(tmp_path, text, named):
    """The command prints it and ends."""
    with pytest.raises(BackendError, match=named):
        deployment(tmp_path, text=text)
